/** The forms that values of settings have in common. */

import { z } from 'zod';

export const seconds = z.int().min(0).max(4_294_967_295);
export const ms = z.int().min(1).max(2_147_483_647);
export const count = z.int().min(1).max(1_000_000_000);
/** Octets of what may be large. */
export const octets = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
export const port = z.int().min(0).max(65_535);
export const host = z.string().min(1).max(255);
/** Path of a file. */
export const file = z.string().min(1).max(4_096);
