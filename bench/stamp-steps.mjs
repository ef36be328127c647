/**
 * Loaded before the server and the process that computes (`node --import`), which inherits it: writes down when each
 * step's progress is handed to the server, by the machine's clock, as lines of `step milliseconds` in STEPS_FILE.
 */
import { appendFileSync } from 'node:fs';

const { STEPS_FILE } = process.env;
const send = process.send?.bind(process); // the process that computes has one

if (send && STEPS_FILE)
  process.send = (message, ...rest) => {
    if (message.type === 'progress')
      appendFileSync(
        STEPS_FILE,
        `${message.progress.step} ${Number(process.hrtime.bigint()) / 1e6}\n`,
      );
    return send(message, ...rest);
  };
