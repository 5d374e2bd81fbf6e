/** The order of files: those that take longest begin, so that no worker is left with one at the end. */

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those of more than five seconds, longest first; what is not here follows, larger files first. */
const longest = [
  'fault/kill',
  'machines/paths',
  'verify/spin',
  'verify/spin-broken',
  'fault/power',
  'fault/overload',
  'interop/sipp/sipp',
  'fuzz/parsers',
  'transport/sip/differential',
  'machines/every-machine',
  'e2e/kill',
  'store/command',
  'client/command',
  'cli/reshard',
  'e2e/shards',
  'e2e/client-story',
  'verify/wire-simulator',
  'verify/simulator',
  'verify/explorer',
  'verify/run/own-server',
  'verify/run/own-more',
  'store/crash',
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
