/** The order of files: those that take longest begin, so that no worker is left with one at the end. */

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those of more than five seconds, longest first; what is not here follows, larger files first. */
const longest = [
  'fault/kill',
  'verify/explorer',
  'verify/spin',
  'e2e/kill',
  'verify/run/own-more',
  'machines/paths',
  'transport/sip/half-open',
  'e2e/client-story',
  'fault/power',
  'fault/overload',
  'interop/sipp/sipp',
  'verify/run/broken-server',
  'verify/spin-broken',
  'verify/run/own-server',
  'e2e/shards',
  'machines/every-machine',
  'cli/reshard',
  'verify/wire-simulator',
  'fault/large-file',
  'e2e/large-memory',
  'e2e/quick-start',
  'client/command',
  'store/command',
  'verify/run/targets',
  'verify/simulator',
  'verify/run/broken-cases',
  'e2e/main-job',
  'e2e/large-crash',
  'store/crash',
  'transport/sip/differential',
  'interop/kamailio-tls/proxy',
  'interop/tshark/tshark',
  'interop/kamailio-msilo/msilo',
  'e2e/encryption',
  'verify/check/cut',
  'torture/torture',
  'fault/disk',
  'verify/capture/tshark',
  'e2e/large-message',
  'machines/account/account-paths',
  'e2e/push-failure',
  'fault/damage',
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
