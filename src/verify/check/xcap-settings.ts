/** What a change over XCAP makes of the settings of a user (D-41). */

import type { SettingsFacts } from '../../machines/facts.js';
import { attributeOf, childrenOf, parseXml, type XmlElement } from '../../wire/xml/tree.js';
import { parseSettings, settingsNamespace } from '../../wire/xml/settings.js';
import { readable } from './session-media.js';
import type { XcapExchange } from './xcap-exchange.js';

/** `unknown`: the trace does not show it. */
export type ChangedSettings = SettingsFacts | 'unknown';

export function changedSettings({ method, node, request }: XcapExchange): ChangedSettings {
  if (method === 'DELETE') return node === undefined ? {} : 'unknown';
  const { body } = request;
  if (body === undefined || node === 'unknown') return 'unknown';
  if (node === undefined) return readable(() => parseSettings(body)) ?? 'unknown';
  const last = node.steps.at(-1)?.name?.name;
  if (node.terminal?.kind === 'attribute') {
    const isOfDelivery = last === 'offline-delivery' && node.terminal.name.name === 'active';
    return isOfDelivery ? factsOf(body.toString('latin1')) : 'unknown';
  }
  const element = readable(() => parseXml(body));
  if (element === undefined || element.name !== last) return 'unknown';
  const delivery = deliveryIn(element);
  return delivery === undefined ? 'unknown' : factsOf(attributeOf(delivery, 'active') ?? '');
}

function deliveryIn(element: XmlElement): XmlElement | undefined {
  if (element.name === 'offline-delivery') return element;
  if (element.name !== 'deferred-settings') return undefined;
  return childrenOf(element, 'offline-delivery', settingsNamespace)[0];
}

function factsOf(active: string): ChangedSettings {
  const [, yes, no] = /^\s*(?:(true|1)|(false|0))\s*$/.exec(active) ?? [];
  if (yes === undefined && no === undefined) return 'unknown';
  return { offlineDelivery: yes !== undefined };
}
