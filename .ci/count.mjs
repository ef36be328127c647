/**
 * Prints "PASSED FAILED" of a vitest JSON report. A skipped test has not been run, so it counts as failed, and so do
 * a file that could not be loaded and a runner that ended badly with nothing failed. Exits 1 without a report.
 */
import { readFileSync } from 'node:fs';

const [path, status] = process.argv.slice(2);
let report;
try {
  report = JSON.parse(readFileSync(path, 'utf8'));
} catch {
  process.exit(1);
}
const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
const passed = tests.filter((test) => test.status === 'passed').length;
for (const { status: state, fullName } of tests)
  if (state !== 'passed') console.error(`${state}: ${fullName}`);
const unloaded = report.testResults.filter(
  ({ status: state, assertionResults }) => state === 'failed' && assertionResults.length === 0,
);
for (const { name, message } of unloaded) console.error(`not loaded: ${name}: ${message}`);
const failed = tests.length - passed + unloaded.length;
const unexplained = failed === 0 && (status !== '0' || tests.length === 0) ? 1 : 0;
console.log(`${passed} ${failed + unexplained}`);
