/** Which element of a document a node selector selects (RFC 4825 6.3). */

import { attributeOf } from './tree.js';
import type { XmlElement } from './tree.js';
import type { XcapStep } from './xcap-node.js';

/** From the root to the element that is selected. */
export type XcapPath = readonly XmlElement[];

/** How far the steps lead: `several` when one of them selects more than one element. */
export interface XcapSelection {
  /** The elements that were selected, one a step. */
  readonly path: XcapPath;
  readonly outcome: 'one' | 'none' | 'several';
}

/** Every step has to select exactly one element; the first one selects the root. */
export function selectPath(root: XmlElement, steps: readonly XcapStep[]): XcapSelection {
  const path: XmlElement[] = [];
  let candidates: readonly XmlElement[] = [root];
  for (const step of steps) {
    const found = matching(candidates, step);
    if (found.length > 1) return { path, outcome: 'several' };
    const [element] = found;
    if (element === undefined) return { path, outcome: 'none' };
    path.push(element);
    candidates = elementsOf(element);
  }
  return { path, outcome: 'one' };
}

/** Undefined when there is none, or more than one. */
export function selectElement(
  root: XmlElement,
  steps: readonly XcapStep[],
): XmlElement | undefined {
  const { path, outcome } = selectPath(root, steps);
  return outcome === 'one' ? path.at(-1) : undefined;
}

export function elementsOf(element: XmlElement): readonly XmlElement[] {
  return element.children.filter((child): child is XmlElement => typeof child !== 'string');
}

/** Siblings of the name that a step names. */
export function namedLike(candidates: readonly XmlElement[], step: XcapStep): XmlElement[] {
  const { name } = step;
  return candidates.filter(
    (one) => name === undefined || (one.name === name.name && one.namespace === name.namespace),
  );
}

/** Position counts before the test of the attribute: `a[2][@id="x"]` is the second a, if it is x. */
function matching(candidates: readonly XmlElement[], step: XcapStep): readonly XmlElement[] {
  const { position, attribute } = step;
  let found = namedLike(candidates, step);
  if (position !== undefined) found = found.slice(position - 1, position);
  if (!attribute) return found;
  return found.filter(
    (element) => attributeOf(element, attribute.name, attribute.namespace) === attribute.value,
  );
}
