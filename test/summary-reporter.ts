import { writeSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';

/**
 * Ends a run with one plain line, `N passed, N failed`, which counts every test, every error outside of tests and
 * the checks that ran before vitest (.ci/checks.sh). Where everything can run (as root, or in CI), a skipped test
 * fails the run, unless the tests were chosen by name.
 */
export class SummaryReporter implements Reporter {
  #mustRunAll = process.getuid?.() === 0 || process.env.CI === 'true';

  onInit({ config }: Vitest): void {
    if (config.testNamePattern !== undefined) this.#mustRunAll = false;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const checks = checksBefore();
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const inState = (state: 'passed' | 'failed' | 'skipped') => tests.filter((test) => test.result().state === state);
    const skipped = inState('skipped');
    const passed = checks.passed + inState('passed').length;
    const failed = checks.failed.length + inState('failed').length + errorsOutsideTests(modules) + unhandled.length;

    const lines = checks.failed.map((check) => `failed: ${check}`);
    if (this.#mustRunAll) lines.push(...skipped.map((test) => `skipped, though it can run here: ${placeOf(test)}`));
    lines.push(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);

    if (failed > 0 || passed === 0 || (this.#mustRunAll && skipped.length > 0)) process.exitCode = 1;
    // At the exit, so that nothing of vitest's own comes after it.
    process.once('exit', () => writeSync(1, `\n${lines.join('\n')}\n`));
  }
}

function placeOf({ module, fullName }: TestCase): string {
  return `${module.relativeModuleId} > ${fullName}`;
}

function checksBefore(): { passed: number; failed: string[] } {
  const failed = process.env.NETPOL_LAB_CHECKS_FAILED ?? '';
  return {
    passed: Number(process.env.NETPOL_LAB_CHECKS_PASSED ?? 0),
    failed: failed === '' ? [] : failed.split(','),
  };
}

/** Errors of files and suites: a file that does not load, a hook that throws. */
function errorsOutsideTests(modules: readonly TestModule[]): number {
  const holders: (TestModule | TestSuite)[] = modules.flatMap((module) => [module, ...module.children.allSuites()]);
  return holders.reduce((sum, holder) => sum + holder.errors().length, 0);
}
