/** Which content a peer takes by `accept-types` and `accept-wrapped-types` (RFC 4975 8.6). */

/** Whether a list such as `message/cpim text/*` admits that type; parameters and case are ignored. */
export function acceptsType(types: readonly string[], contentType: string): boolean {
  throw new Error(types.join(contentType));
}

/** Whether it is admitted inside a container that the peer takes. */
export function acceptsWrapped(
  media: { readonly acceptTypes: readonly string[]; readonly acceptWrappedTypes: readonly string[] },
  container: string,
  contentType: string,
): boolean {
  throw new Error(container + contentType + media.acceptTypes.join());
}
