/** Seen when there was no word from the server for more than three seconds. */
import { isLost, lost, now, tryNow } from '../state/live.ts';
import { duration } from '../state/words.ts';
import { Note } from './note.tsx';

export function ConnectionNote() {
  if (!isLost.value || !lost.value) return null;
  const { since, next } = lost.value;
  const gone = Math.floor((now.value - since) / 1000);
  const left = Math.max(0, Math.ceil((next - now.value) / 1000));
  return (
    <div class="float-top">
      <p class="sr" role="status">
        The server does not answer. The page tries again by itself.
      </p>
      <Note
        kind="warn"
        role="none"
        title={`No word from the server for ${duration(gone)}. Trying again in ${left} s.`}
        action={{ label: 'Try now', run: tryNow }}
      >
        Running jobs go on without this page. What you have typed is kept.
      </Note>
    </div>
  );
}
