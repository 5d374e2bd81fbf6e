/** Limits and policy that hold for every account unless it has its own. */

import { z } from 'zod';
import { count, ms, octets, seconds } from './forms.js';

export const limitSettings = z.strictObject({
  expiry: z
    .strictObject({
      enabled: z.boolean().default(true),
      default: seconds.default(604_800),
      max: seconds.default(2_592_000),
      large: seconds.default(604_800),
      skewMs: ms.default(86_400_000),
    })
    .prefault({}),
  quota: z
    .strictObject({
      messages: count.default(100_000),
      octets: octets.default(1_000_000_000),
      /** Seconds after which a sender may try again. */
      retryAfter: seconds.default(3_600),
    })
    .prefault({}),
  register: z
    .strictObject({
      min: seconds.default(60),
      default: seconds.default(3600),
      max: seconds.default(604_800),
      contacts: count.default(10),
      /** ms within which REGISTERs for several identities of a user are one registration. */
      burstMs: ms.default(2000),
    })
    .prefault({}),
  subscribe: z
    .strictObject({
      min: seconds.default(60),
      default: seconds.default(3600),
      max: seconds.default(86_400),
      count: count.default(20),
      throttleMs: ms.default(1000),
      headers: z.int().min(0).max(100).default(10),
    })
    .prefault({}),
  publish: z
    .strictObject({
      min: seconds.default(60),
      default: seconds.default(3600),
      max: seconds.default(604_800),
      count: count.default(8),
    })
    .prefault({}),
  deletion: z
    .strictObject({
      batch: z.int().min(1).max(256).default(64),
      /** Between two looks at whether an account that is taken away is empty. */
      removalMs: ms.default(1000),
    })
    .prefault({}),
  push: z
    .strictObject({
      default: z.boolean().default(true),
      window: count.default(64),
      retryMs: ms.default(5000),
      retryMaxMs: ms.default(600_000),
      after: z.enum(['delete', 'keep']).default('delete'),
    })
    .prefault({}),
  retrieval: z
    .strictObject({
      whenPushActive: z.enum(['serve', 'forbid']).default('serve'),
      /** Where recvonly has to stand: effective on the line, on the line itself, or on both levels. */
      recvonly: z.enum(['effective', 'media', 'both']).default('effective'),
      after: z.enum(['delete', 'keep']).default('keep'),
      count: count.default(8),
      waitMs: ms.default(32_000),
      emptyMs: ms.default(2000),
    })
    .prefault({}),
  recording: z
    .strictObject({
      sendonly: z.boolean().default(false),
      files: z.boolean().default(false),
      count: count.default(4),
      messages: z.int().min(1).max(1_000).default(64),
      octets: octets.default(1_073_741_824),
      idleMs: ms.default(60_000),
    })
    .prefault({}),
  /** Requests for users who are available (D-12). */
  forward: z
    .strictObject({
      /** What is passed on before it is stored: nothing, every MESSAGE, or large messages too. */
      mode: z.enum(['off', 'messages', 'all']).default('all'),
      /** To one client after the other, or to all at the same time. */
      devices: z.enum(['one', 'all']).default('one'),
      /** Requests of one user that are passed on at a time; further ones are stored at once. */
      count: count.default(64),
      /** ms until a message is stored although the user may still answer. */
      waitMs: ms.default(16_000),
      /** INVITEs of one user that are passed on, and their sessions, at a time. */
      bridges: z.int().min(0).max(1_000).default(8),
      /** ms that clients may ring before a large message is taken in here. */
      ringMs: z.int().min(1).max(170_000).default(120_000),
      /** ms that such a session may last. */
      sessionMs: ms.default(3_600_000),
    })
    .prefault({}),
  /** Subscriptions to the conference of a retrieval (RFC 4575). */
  conference: z
    .strictObject({
      min: seconds.default(60),
      default: seconds.default(3600),
      max: seconds.default(86_400),
      /** Of one conference. */
      count: z.int().min(0).max(1_000).default(4),
      throttleMs: ms.default(5000),
      /** Users that one NOTIFY names. */
      users: z.int().min(1).max(10_000).default(200),
    })
    .prefault({}),
  /** What is taken of more than can be done in time; the rest is answered 503 (ADR 0016). */
  admission: z
    .strictObject({
      /** ms that 95 of 100 requests may take until they are durable. */
      latencyMs: ms.default(2_000),
      /** Requests a second that are taken however slow it is. */
      rateMin: count.default(100),
      /** Requests without an answer, of all users, and their octets. */
      requests: count.default(50_000),
      octets: octets.default(134_217_728),
    })
    .prefault({}),
  /** 0: no REPORT is asked for, and the 200 is enough (D-33). */
  reportGraceMs: z.int().min(0).max(2_147_483_647).default(30_000),
  reportOnUserDelete: z.enum(['failed', 'forbidden', 'none']).default('failed'),
});
