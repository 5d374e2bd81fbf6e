/** Call-IDs that stand for those of messages from before a trace, which nobody knows. */

export const callIdOfBefore = 'before the trace';

/** Whether the Call-ID of a message is not known. */
export function isOfBefore(callId: string): boolean {
  return callId.startsWith(callIdOfBefore);
}
