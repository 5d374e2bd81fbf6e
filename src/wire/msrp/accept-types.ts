/** Which content a peer takes by `accept-types` and `accept-wrapped-types` (RFC 4975 8.6). */

/** Whether a list such as `message/cpim text/*` admits that type; parameters and case are ignored. */
export function acceptsType(types: readonly string[], contentType: string): boolean {
  const type = bareType(contentType);
  const slash = type.indexOf('/');
  if (slash < 1 || slash === type.length - 1) return false;
  const family = `${type.slice(0, slash)}/*`;
  return types.some((entry) => {
    const accepted = bareType(entry);
    return accepted === '*' || accepted === '*/*' || accepted === type || accepted === family;
  });
}

/**
 * Whether it is admitted inside a container that the peer takes: what `accept-types` names may
 * also come wrapped, what `accept-wrapped-types` names may only come so.
 */
export function acceptsWrapped(
  media: {
    readonly acceptTypes: readonly string[];
    readonly acceptWrappedTypes: readonly string[];
  },
  container: string,
  contentType: string,
): boolean {
  return (
    acceptsType(media.acceptTypes, container) &&
    (acceptsType(media.acceptTypes, contentType) ||
      acceptsType(media.acceptWrappedTypes, contentType))
  );
}

function bareType(contentType: string): string {
  const semicolon = contentType.indexOf(';');
  return (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
}
