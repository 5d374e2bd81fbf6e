/** Whether an error is one of the store: the world's, not ours. */

/** `STORE_…` when the store, not we, has failed. */
export function storeCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const { code } = error;
  return typeof code === 'string' && code.startsWith('STORE_') ? code : undefined;
}
