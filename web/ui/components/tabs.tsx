/** Tabs by the pattern of the ARIA practices: arrows move, one stop for Tab; the choice is in the address. */
import type { ComponentChildren } from 'preact';
import { search, setSearch } from '../state/router.ts';

export type Tab = {
  readonly id: string;
  readonly label: string;
  /** A word or number after the label, such as how far it is. */
  readonly tag?: { readonly text: string; readonly now?: boolean };
  readonly panel: () => ComponentChildren;
};

export function Tabs({ label, tabs }: { readonly label: string; readonly tabs: readonly Tab[] }) {
  const asked = search.value.get('tab');
  const chosen = tabs.find(({ id }) => id === asked) ?? tabs[0]!;
  const show = (tab: Tab) => setSearch({ tab: tab === tabs[0] ? undefined : tab.id });
  const move = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(chosen) + by + tabs.length) % tabs.length]!;
    show(next);
    document.getElementById(`tab-${next.id}`)?.focus();
  };
  return (
    <>
      <div class="tabs" role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`tab-${tab.id}`}
            aria-selected={tab === chosen}
            aria-controls={`panel-${tab.id}`}
            tabIndex={tab === chosen ? 0 : -1}
            onClick={() => show(tab)}
          >
            <span data-label={tab.label}>{tab.label}</span>
            {tab.tag && (
              <>
                {' '}
                <span class={`tag ${tab.tag.now ? 'acc' : ''}`}>{tab.tag.text}</span>
              </>
            )}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`panel-${chosen.id}`} aria-labelledby={`tab-${chosen.id}`}>
        {chosen.panel()}
      </div>
    </>
  );
}
