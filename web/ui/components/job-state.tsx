/** A job's state: icon and word, never colour alone. */
import type { Job, JobState } from '../../../jobs/job.ts';
import { Icon, type IconName } from './icon.tsx';

const LOOKS: Record<JobState, readonly [icon: IconName, word: string, look: string]> = {
  waiting: ['wait', 'Waiting', 'wait'],
  running: ['run', 'Running', 'run'],
  paused: ['pause', 'Paused', 'wait'],
  done: ['check', 'Done', ''],
  failed: ['bad', 'Failed', 'bad'],
  cancelled: ['stop', 'Cancelled', ''],
};

/** `text` in place of the bare word, such as "Picture 4 of 8". A waiting job with a reason is held up by it. */
export function JobStateTag({ job, text }: { readonly job: Job; readonly text?: string }) {
  const [icon, word, look] = LOOKS[job.state];
  const held = job.state === 'waiting' && job.reason !== undefined;
  return (
    <span class={`state ${held ? 'warn' : look}`}>
      <Icon name={held ? 'warn' : icon} />
      {text ?? word}
    </span>
  );
}
