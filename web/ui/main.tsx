/** Starts the page. */
import { render } from 'preact';
import { App } from './components/app.tsx';
import { pageAt } from './pages.ts';
import './ropewalk.css';
import { startKeys } from './state/keys.ts';
import { live } from './state/live.ts';
import { loadModels } from './state/models.ts';
import { startRouter } from './state/router.ts';
import { complain } from './state/toasts.ts';

startRouter((path) => pageAt(path) !== undefined);
startKeys();
if (location.pathname !== '/login') {
  loadModels().catch(complain);
  void live();
}
render(<App />, document.querySelector('#app')!);
