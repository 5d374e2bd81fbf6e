/** What the actors are told of the settings, in the form in which they want it. */

import type { SummaryForm } from '../actors/notify.js';
import type { Bounds } from '../actors/options.js';
import { profiles } from '../actors/profile.js';
import { localPlacement } from '../cluster/local.js';
import type { Settings } from '../config.js';
import type { Log, TurnTrace } from '../ports.js';

/** How message waiting is told (D-43, MWI-03). */
function summaryForm({
  classes,
  headers,
}: Pick<Settings['messageWaiting'], 'classes' | 'headers'>): SummaryForm {
  return {
    classes: { 'Pager-Message': classes.pager, 'Multimedia-Message': classes.large },
    headers: new Set(headers.map((name) => name.toLowerCase())),
  };
}

/** D-67: at the level `debug` every step of every actor is in the log; what it was told is not. */
export function turnLog({ log: { level } }: Settings, log: Log): TurnTrace | undefined {
  if (level !== 'debug') return undefined;
  return {
    record: ({ account, told }) => {
      for (const { by, to, event } of told)
        log.debug({ account, by, to, event: event.type }, 'told');
    },
  };
}

/** Everything the actors take from the settings, ports aside. */
export function actorsOptions(settings: Settings) {
  const { identity, bounds, publish, msrp, profile, messageWaiting } = settings;
  const { admission, ...limits } = settings.limits;
  const relayed = msrp.relay && { pathMs: msrp.relay.waitMs };
  return {
    limits,
    admission,
    placement: localPlacement,
    ...identityOptions(identity),
    settingsPackage: publish,
    summary: summaryForm(messageWaiting),
    cema: msrp.cema,
    profile: profiles[profile],
    bounds: { ...bounds, ...xdmsBounds(settings), ...relayed },
  };
}

/** Names, served users and trust. */
export function identityOptions({ users, accounts, ...identity }: Settings['identity']) {
  const { hostname, deferredUser, deferredAliases, deleteUser, domains, aliases } = identity;
  const { trustedPeers, trustedNames, privacy, registrar, regEvent } = identity;
  return {
    ...{ hostname, deferredUser, deferredAliases, deleteUser, domains, aliases },
    serviceHosts: identity.serviceHosts,
    ...(users && { users }),
    ...(regEvent.enabled && { regEvent }),
    provisionedOnly: accounts === 'provisioned',
    ...{ trustedPeers, trustedNames, privacy, registrar },
  };
}

/** What the outbox is told of an external XDMS. */
function xdmsBounds({ xdms }: Settings): Partial<Bounds> {
  if (!xdms) return {};
  const { histories, rebuildMs, rebuildPauseMs } = xdms;
  return { histories, rebuildMs, rebuildPauseMs };
}
