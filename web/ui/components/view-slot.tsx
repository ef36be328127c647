/** A page's view, once its code is here; what went wrong in it otherwise. */
import { Component, type ComponentChildren, type ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { PageEntry } from '../pages.ts';
import { restoreScroll } from '../state/router.ts';
import { Note } from './note.tsx';

const loadedViews = new Map<string, ComponentType>();

export function ViewSlot({ page }: { page: PageEntry }) {
  const [View, setView] = useState(() => loadedViews.get(page.path));
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let gone = false;
    page.load().then(
      (view) => {
        loadedViews.set(page.path, view);
        if (!gone) setView(() => view);
      },
      () => !gone && setFailed(true),
    );
    return () => {
      gone = true;
    };
  }, [page]);
  useEffect(() => {
    if (View) restoreScroll();
  }, [View]);
  if (failed)
    return (
      <main id="main" tabIndex={-1}>
        <Note
          kind="bad"
          title={`The page ${page.title} could not be loaded.`}
          action={{ label: 'Load again', run: () => location.reload() }}
        >
          The server may have been renewed since this page was opened.
        </Note>
      </main>
    );
  return (
    <Boundary title={page.title}>
      {View ? <View /> : <main id="main" tabIndex={-1} aria-busy="true" />}
    </Boundary>
  );
}

type BoundaryProps = { readonly title: string; readonly children: ComponentChildren };

/** A fault in a view leaves header and queue standing. */
class Boundary extends Component<BoundaryProps, { error?: Error }> {
  static override getDerivedStateFromError = (error: Error) => ({ error });

  override render({ title, children }: BoundaryProps) {
    const { error } = this.state;
    if (!error) return <>{children}</>;
    return (
      <main id="main" tabIndex={-1}>
        <Note
          kind="bad"
          title={`${title} cannot be shown: ${error.message}`}
          action={{ label: 'Try again', run: () => this.setState({}) }}
        >
          Running jobs go on without this page.
        </Note>
      </main>
    );
  }
}
