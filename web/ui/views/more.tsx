/** The pages that the tab bar of a phone has no room for. */
import { Icon } from '../components/icon.tsx';
import { PAGES } from '../pages.ts';

export function More() {
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>More</h1>
      </div>
      <ul class="stack tight">
        {PAGES.filter(({ far }) => far).map(({ path, title, icon }) => (
          <li key={path}>
            <a class="btn big wide" href={path}>
              <Icon name={icon} />
              {title}
            </a>
          </li>
        ))}
      </ul>
    </main>
  );
}
