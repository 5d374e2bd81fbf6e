/** Settings of operator policy: rules in the settings, and more of them in a file of their own. */

import { z } from 'zod';

const pattern = z.string().min(1).max(256);
const patterns = z.array(pattern).min(1).max(10_000);
const octets = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

const rule = z.strictObject({
  /** `store` lets pass what a later rule would refuse. */
  action: z.enum(['refuse', 'store']),
  operation: z.enum(['store', 'retrieve']).optional(),
  method: z
    .array(z.enum(['MESSAGE', 'INVITE']))
    .min(1)
    .max(2)
    .optional(),
  /** Identity of the sender, or From of a stranger: `*@spam.example`. */
  sender: patterns.optional(),
  /** Served user: `bob@example.org`. */
  recipient: patterns.optional(),
  /** `video/*`. */
  contentType: patterns.optional(),
  /** Octets, both included. */
  minSize: octets.optional(),
  maxSize: octets.optional(),
  /** Of the answer, instead of 603; a retrieval is always refused with 403. */
  status: z.int().min(400).max(699).optional(),
  /** For Warning. */
  reason: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[\x20-\x7e]*$/, 'is not printable ASCII')
    .optional(),
});

export const policyRules = z.array(rule).max(10_000);

export const policySettings = z.strictObject({
  /** In order: the first that fits decides. */
  rules: policyRules.default([]),
  /** YAML file with a list of further rules, behind these. */
  file: z.string().min(1).max(4_096).optional(),
});
