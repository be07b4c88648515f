/** What one check found, in words of one line. Only `wrong` stands in the way of a deployment. */
export type Finding =
  | { readonly verdict: 'right' | 'unknown'; readonly subject: string; readonly found: string }
  | { readonly verdict: 'wrong'; readonly subject: string; readonly found: string; readonly remedy: string }

export function right(subject: string, found: string): Finding {
  return { verdict: 'right', subject, found }
}

/** What could not be checked, or what is no fault but worth knowing. */
export function unknown(subject: string, found: string): Finding {
  return { verdict: 'unknown', subject, found }
}

/** `remedy` says what to do, as a sentence without its full stop; empty if `found` says it. */
export function wrong(subject: string, found: string, remedy: string): Finding {
  return { verdict: 'wrong', subject, found, remedy }
}

const SIGNS: Readonly<Record<Finding['verdict'], string>> = {
  right: 'ok   ',
  unknown: '?    ',
  wrong: 'WRONG',
}

export function formatFinding(finding: Finding): string {
  const remedy = finding.verdict === 'wrong' && finding.remedy ? `. ${finding.remedy}` : ''
  return `${SIGNS[finding.verdict]} ${finding.subject}: ${oneLine(finding.found)}${remedy}`
}

export function isWrong({ verdict }: Finding): boolean {
  return verdict === 'wrong'
}

/** Text of other programs may have many lines; the first that says something stands for them. */
export function oneLine(text: string): string {
  return text.trim().split(/\s*\n\s*/)[0] ?? ''
}
