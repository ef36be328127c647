/** `ropewalk verify`: holds this installation to reference outputs of published code. */
import type { Command } from 'commander';
import { type Context, Exit } from './context.ts';
import { type Device, deviceOption, threadsOption } from './options.ts';

export function verifyCommand(program: Command, context: Context): void {
  program
    .command('verify')
    .description('compare with reference outputs; exit code 1 when any differs')
    .argument('<path...>', "folders of fixtures, or a fixture's JSON file")
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addHelpText('after', '\nExample:\n  ropewalk verify fixtures/dit')
    .action(async (paths: string[], options: { device: Device; threads?: number }) => {
      const { openDevice } = await import('./device.ts');
      const { verifyPath } = await import('../interop/verify/verify.ts');
      const engine = await openDevice(options, context);
      const say = (line: string) => context.stdout.write(`${line}\n`);
      let [passed, failed] = [0, 0];
      for (const path of paths) {
        const result = await verifyPath(path, { engine, say });
        passed += result.passed;
        failed += result.failed;
      }
      say(`${passed} passed, ${failed} failed`);
      if (failed > 0) throw new Exit(1);
    });
}
