/** IM service settings: `urn:oma:xml:im:service-settings`. */

export interface ServiceSettings {
  /** `offline-delivery/@active`; absent when the document does not say. */
  readonly offlineDelivery?: boolean;
}

/** Found by namespace and local names, whatever the root is. Throws WireError `XML_…`, `SETTINGS_…`. */
export function parseSettings(body: Buffer): ServiceSettings {
  throw new Error(String(body.length));
}

export function writeSettings(settings: ServiceSettings): Buffer {
  throw new Error(String(settings.offlineDelivery));
}
