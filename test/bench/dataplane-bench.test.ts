import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { measureDataPlane } from '../../src/bench/dataplane-bench.ts';
import { dataPlaneFiguresText } from '../../src/bench/dataplane-text.ts';

test('every way is measured, and compared with the others of its round', { timeout: 120_000 }, async () => {
  execFileSync('sh', ['src/setup/system-tools.sh', 'haproxy', 'wrk'], { stdio: 'pipe' });
  const figures = await measureDataPlane(1, () => undefined);
  expect(figures.map(({ way }) => way)).toEqual(['direct', 'conntrack', 'kernel', 'relay', 'haproxy', 'gated haproxy']);
  for (const { way, median, to } of figures) {
    expect(median.connections).toBeGreaterThan(0);
    expect(median.saturated).toBeGreaterThan(0);
    expect(median.streamBytes).toBeGreaterThan(0);
    expect(median.connectP99Ns).toBeGreaterThanOrEqual(median.connectMedianNs);
    expect(median.exchanges === undefined).toBe(way.endsWith('haproxy'));
    expect(median.cpuMicroseconds > 0).toBe(way !== 'direct' && way !== 'conntrack');
    expect(to.direct.connections === 1).toBe(way === 'direct');
  }
  const text = dataPlaneFiguresText(figures, 1, { machine: 'm', node: 'n', commit: 'c' });
  expect(text).toMatch(/^ +direct +conntrack +kernel +relay +haproxy +gated haproxy\nconnections a second +[0-9]/);
});
