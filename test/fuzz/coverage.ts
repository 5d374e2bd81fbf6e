/** Which blocks of the sources have run, told by V8. */

import { Session } from 'node:inspector';
import type { Profiler } from 'node:inspector';

export interface Coverage {
  /** The blocks that ran since this was asked last. */
  take(): Set<string>;
  end(): void;
}

/** Watches the scripts whose URL has `part` in it. */
export function watchCoverage(part: string): Coverage {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return {
    take() {
      const blocks = new Set<string>();
      for (const script of scriptsOf(session)) {
        if (script.url.includes(part)) addBlocks(blocks, script);
      }
      return blocks;
    },
    end() {
      session.post('Profiler.stopPreciseCoverage');
      session.disconnect();
    },
  };
}

function scriptsOf(session: Session): readonly Profiler.ScriptCoverage[] {
  let scripts: readonly Profiler.ScriptCoverage[] = [];
  // In the same thread the answer comes before `post` returns.
  session.post('Profiler.takePreciseCoverage', (error, { result }) => {
    if (error) throw error;
    scripts = result;
  });
  return scripts;
}

function addBlocks(blocks: Set<string>, script: Profiler.ScriptCoverage): void {
  for (const { ranges } of script.functions) {
    for (const { startOffset, endOffset, count } of ranges) {
      if (count > 0) blocks.add(`${script.url} ${startOffset} ${endOffset}`);
    }
  }
}
