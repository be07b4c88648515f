import { formatCount } from '../base/format.ts'
import type { Metrics } from '../base/open-metrics.ts'
import { link } from '../base/route.ts'

/** Something that an operator should look at. */
export interface Hint {
  readonly text: string
  readonly advice: string
  readonly href?: string
}

const DEFECTS = 'chronicle_defects_total'

/** Gauges that should be 0, with the advice for an operator if they are not. */
const WATCHED = [
  {
    name: 'chronicle_spaces_full',
    text: (count: string) => `Full spaces: ${count}.`,
    advice: 'Their devices can only delete. Raise the quota.',
    href: link(['spaces'], { order: 'size' }),
  },
  {
    name: 'chronicle_spaces_near_quota',
    text: (count: string) => `Spaces above 90 % of a quota: ${count}.`,
    advice: 'Raise the quota before they are full.',
    href: link(['spaces'], { order: 'size' }),
  },
  {
    name: 'chronicle_spaces_upkeep_failing',
    text: (count: string) => `Spaces whose upkeep fails: ${count}.`,
    advice: 'They keep working, and grow. The log has the reason.',
    href: link(['spaces']),
  },
  {
    name: 'chronicle_open_conflicts',
    text: (count: string) => `Open conflicts: ${count}.`,
    advice: 'The list of spaces says where they wait.',
    href: link(['spaces'], { order: 'conflicts' }),
  },
] as const

interface HintSources {
  readonly metrics: Metrics
  /** The metrics when the page was opened. */
  readonly first: Metrics
  /** The version that the service runs. */
  readonly version: string | undefined
}

/** Lists what needs attention. */
export function hintsOf({ metrics, first, version }: HintSources): readonly Hint[] {
  const built = document.querySelector<HTMLMetaElement>('meta[name=version]')?.content
  const hints: Hint[] = WATCHED.flatMap(({ name, text, ...rest }) => {
    const count = metrics.get(name) ?? 0
    return count > 0 ? [{ text: text(formatCount(count)), ...rest }] : []
  })
  const defects = (metrics.get(DEFECTS) ?? 0) - (first.get(DEFECTS) ?? 0)
  if (defects > 0)
    hints.push({
      text: `Defects since this page was opened: ${formatCount(defects)}.`,
      advice: 'Search the log for the level error.',
    })
  if (version !== undefined && built !== undefined && version !== built)
    hints.push({
      text: `The service runs version ${version}, this page is of version ${built}.`,
      advice: 'Reload it. If that does not help, a deployment is under way or has stopped half-way.',
    })
  if (metrics.get('chronicle_spaces') === 0)
    hints.push({
      text: 'No space has written anything.',
      advice: 'Mint a token, and let a device write.',
      href: link(['tokens']),
    })
  return hints
}
