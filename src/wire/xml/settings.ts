/** IM service settings: `urn:oma:xml:im:service-settings`. */

import { WireError } from '../error.js';
import { attributeOf, childrenOf, parseXml } from './tree.js';
import type { XmlElement } from './tree.js';
import { xmlDocument, xmlElement } from './write.js';

export const settingsNamespace = 'urn:oma:xml:im:service-settings';

export interface ServiceSettings {
  /** `offline-delivery/@active`; absent when the document does not say. */
  readonly offlineDelivery?: boolean;
}

/**
 * Found by namespace and local names: neither the name of the root is known, nor how deep it is.
 * Throws WireError `XML_…`, `SETTINGS_…`.
 */
export function parseSettings(body: Buffer): ServiceSettings {
  const root = parseXml(body);
  if (root.namespace !== settingsNamespace) {
    throw new WireError('SETTINGS_ROOT', 'the document has another namespace');
  }
  const [delivery] = deferredSettings(root).flatMap((settings) =>
    childrenOf(settings, 'offline-delivery', settingsNamespace),
  );
  const active = delivery && attributeOf(delivery, 'active')?.trim();
  if (active === undefined) return {};
  if (!/^(?:true|false|1|0)$/.test(active)) {
    throw new WireError('SETTINGS_ACTIVE', 'active is no boolean');
  }
  return { offlineDelivery: active === 'true' || active === '1' };
}

/** The root is a placeholder: its name was not recovered. */
export function writeSettings(settings: ServiceSettings): Buffer {
  const { offlineDelivery } = settings;
  const active = offlineDelivery === undefined ? undefined : String(offlineDelivery);
  const delivery = xmlElement('offline-delivery', [['active', active]]);
  const deferred = xmlElement('deferred-settings', [], [delivery]);
  return xmlDocument(xmlElement('im-settings', [['xmlns', settingsNamespace]], [deferred]));
}

function deferredSettings(root: XmlElement): XmlElement[] {
  const found: XmlElement[] = [];
  const waiting = [root];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.name === 'deferred-settings' && next.namespace === settingsNamespace) found.push(next);
    else for (const child of next.children) if (typeof child !== 'string') waiting.push(child);
  }
  return found;
}
