/** The HTTP faces of a server: the embedded XDMS and the administration. */

import type { AdminEndpoint } from '../admin/endpoint.js';
import type { AdminParts } from '../admin/parts.js';
import type { AuthenticationOptions } from '../actors/authentication.js';
import type { Settings } from '../config.js';
import type { Log, OperatorPort, Random, Trace } from '../ports.js';
import { adminOptions } from '../settings/admin.js';
import type { XcapServer } from '../transport/xcap/server.js';
import { readPem } from './pem-file.js';

/** What speaks HTTP; each is there when the settings ask for it. */
export interface Faces {
  xcap?: XcapServer;
  admin?: AdminEndpoint;
}

/** Whatever was opened stands in `faces` when this rejects. */
export async function openFaces(
  faces: Faces,
  settings: Settings,
  authentication: AuthenticationOptions | undefined,
  parts: AdminParts & {
    readonly accounts: OperatorPort;
    readonly random: Random;
    readonly log: Log;
    readonly trace?: Trace;
  },
): Promise<void> {
  // What they are made of takes longer to load than all the rest, and a start after a crash is urgent.
  if (settings.xcap) {
    const { xcapServerOf } = await import('./metadata.js');
    const xcap = xcapServerOf(settings.xcap, authentication, parts);
    await xcap.start();
    faces.xcap = xcap;
  }
  if (!settings.admin) return;
  const { createAdminEndpoint } = await import('../admin/endpoint.js');
  const admin = await createAdminEndpoint(parts, adminOptions(settings.admin, readPem));
  await admin.start();
  faces.admin = admin;
}
