/** The order of files: those that take longest begin, so that no worker is left with one at the end. */

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those of more than five seconds, longest first; what is not here follows, larger files first. */
const longest = [
  'fault/kill',
  'verify/explorer',
  'verify/spin',
  'machines/paths',
  'verify/spin-broken',
  'fault/power',
  'fault/overload',
  'interop/sipp/sipp',
  'transport/sip/differential',
  'machines/every-machine',
  'e2e/kill',
  'cli/reshard',
  'store/command',
  'client/command',
  'e2e/client-story',
  'e2e/shards',
  'transport/sip/half-open',
  'transport/msrp/half-open',
  'transport/sip/answered-transactions',
  'verify/run/own-more',
  'verify/run/own-server',
  'verify/wire-simulator',
  'wire/sip/torture',
  'store/crash',
  'wire/msrp/parse',
  'fuzz/parsers',
  'admin/metrics',
  'bench/sessions',
  'fault/disk',
];

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((one, two) => placeOf(one) - placeOf(two));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return place < 0 ? longest.length : place;
}
