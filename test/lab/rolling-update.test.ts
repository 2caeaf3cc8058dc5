import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../../src/apiserver/api-object.ts';
import { leewayOf, nextStep } from '../../src/lab/control-plane/rolling-update.ts';

function deployment(rollingUpdate: Record<string, string | number>): ApiObject {
  const spec = { strategy: { type: 'RollingUpdate', rollingUpdate } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec };
}

describe('the leeway', () => {
  it.each([
    ['25%', '25%', 10, { surge: 3, unavailable: 2 }],
    ['25%', '25%', 1, { surge: 1, unavailable: 0 }],
    [0, 0, 5, { surge: 0, unavailable: 1 }],
    [2, '50%', 5, { surge: 2, unavailable: 2 }],
  ])('surge %s, unavailable %s of %i', (maxSurge, maxUnavailable, wanted, expected) => {
    expect(leewayOf(deployment({ maxSurge, maxUnavailable }), wanted)).toEqual(expected);
  });
});

describe('a rolling update', () => {
  it.each([
    { wanted: 1, leeway: { surge: 1, unavailable: 0 } },
    { wanted: 4, leeway: { surge: 1, unavailable: 1 } },
    { wanted: 10, leeway: { surge: 3, unavailable: 2 } },
    { wanted: 5, leeway: { surge: 0, unavailable: 1 } },
    { wanted: 0, leeway: { surge: 1, unavailable: 0 } },
  ])('of $wanted pods stays within its leeway, and ends', ({ wanted, leeway }) => {
    let old = Math.max(wanted, 2);
    let fresh = 0;
    for (let step = 0; fresh < wanted || old > 0; step += 1) {
      expect(step).toBeLessThan(50);
      const present = { replicas: fresh, available: fresh };
      const next = nextStep({ present, earlier: [{ replicas: old, available: old }] }, wanted, leeway);
      const [left = 0] = next.earlier;
      // Pods that are new in this step are not ready yet.
      expect(fresh + left).toBeGreaterThanOrEqual(wanted - leeway.unavailable);
      expect(next.present + left).toBeLessThanOrEqual(Math.max(wanted + leeway.surge, old));
      [old, fresh] = [left, next.present];
    }
    expect({ old, fresh }).toEqual({ old: 0, fresh: wanted });
  });

  it('waits while the new pods do not become ready, but takes old ones that are not', () => {
    const present = { replicas: 1, available: 0 };
    const leeway = { surge: 1, unavailable: 0 };
    const serving = nextStep({ present, earlier: [{ replicas: 3, available: 3 }] }, 3, leeway);
    expect(serving).toEqual({ present: 1, earlier: [3] });
    const broken = nextStep({ present, earlier: [{ replicas: 3, available: 0 }] }, 3, { surge: 1, unavailable: 3 });
    expect(broken.earlier).toEqual([0]);
  });
});
