/** The result of one check, in words of one line. `wrong` and `missing` block a deployment. */
export type Finding =
  | { readonly verdict: 'right' | 'unknown'; readonly subject: string; readonly found: string }
  | { readonly verdict: 'wrong'; readonly subject: string; readonly found: string; readonly remedy: string }
  | Missing

/** A thing that the first deployment adds, once a person has agreed. */
export interface Missing {
  readonly verdict: 'missing'
  readonly subject: string
  readonly found: string
  /** Says how to add it by hand, as a sentence without its full stop. */
  readonly remedy: string
  readonly thing: MissingThing
}

export type MissingThing = 'Pulumi CLI' | 'state' | 'passphrase' | 'stack' | 'workers.dev name'

export function right(subject: string, found: string): Finding {
  return { verdict: 'right', subject, found }
}

/** A check that could not be made, or a fact worth knowing that blocks nothing. */
export function unknown(subject: string, found: string): Finding {
  return { verdict: 'unknown', subject, found }
}

/** `remedy` says what to do, as a sentence without its full stop. It is empty if `found` says so already. */
export function wrong(subject: string, found: string, remedy: string): Finding {
  return { verdict: 'wrong', subject, found, remedy }
}

export function missing(subject: string, found: string, what: Pick<Missing, 'thing' | 'remedy'>): Finding {
  return { verdict: 'missing', subject, found, ...what }
}

const SIGNS: Readonly<Record<Finding['verdict'], string>> = {
  right: 'ok   ',
  unknown: '?    ',
  wrong: 'WRONG',
  missing: 'TO DO',
}

export function formatFinding(finding: Finding): string {
  const remedy = 'remedy' in finding && finding.remedy ? `. ${finding.remedy}` : ''
  return `${SIGNS[finding.verdict]} ${finding.subject}: ${oneLine(finding.found)}${remedy}`
}

export function isWrong({ verdict }: Finding): boolean {
  return verdict === 'wrong'
}

export function isMissing(finding: Finding): finding is Missing {
  return finding.verdict === 'missing'
}

/** The first line of another program's text that is not blank. */
export function oneLine(text: string): string {
  return text.trim().split(/\s*\n\s*/)[0] ?? ''
}
