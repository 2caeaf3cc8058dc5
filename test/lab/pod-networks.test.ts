import { describe, expect, it } from 'vitest';
import { firstFree } from '../../src/lab/compose/pod-networks.ts';
import { POD_NETWORKS } from '../../src/manifest/address-pool.ts';

const DOCKERS = ['172.17.0.0/16', '172.18.0.0/16', 'fd00:172::/64'];
const ALL = Array.from({ length: 10 }, (_, index) => `10.${244 + index}.0.0/16`);

describe('the networks of a lab’s pods', () => {
  it.each([
    { taken: 'nothing of theirs', others: DOCKERS, free: POD_NETWORKS },
    { taken: 'the first', others: [...DOCKERS, ...POD_NETWORKS], free: ['10.245.0.0/16', 'fd00:10:245::/64'] },
    { taken: 'a part of the first', others: ['10.244.7.0/24'], free: ['10.245.0.0/16', 'fd00:10:245::/64'] },
    { taken: 'more than the first', others: ['10.244.0.0/15'], free: ['10.246.0.0/16', 'fd00:10:246::/64'] },
    { taken: 'the first of IPv6', others: ['fd00:10:244::/48'], free: ['10.245.0.0/16', 'fd00:10:245::/64'] },
    { taken: 'all but the last', others: ALL.slice(0, 9), free: ['10.253.0.0/16', 'fd00:10:253::/64'] },
    { taken: 'what cannot be read', others: ['', 'none'], free: POD_NETWORKS },
  ])('where $taken is taken', ({ others, free }) => {
    expect(firstFree(others)).toEqual(free);
  });

  it('are none where all are taken', () => {
    expect(firstFree(ALL)).toBeUndefined();
    expect(firstFree(['10.0.0.0/8'])).toBeUndefined();
  });
});
