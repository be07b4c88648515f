import type { Clock } from './service/clock.ts'
import type { Answers } from './service/metrics.ts'

export interface WatchOptions {
  /** The version that was deployed. */
  readonly version: string
  readonly minutes: number
  /** Uses the service like a client; false if a check failed, which it has reported. */
  readonly check: () => Promise<boolean>
  /** Reads what each version has answered before and since a moment; undefined if the account is not to be asked. */
  readonly readAnswers: ((since: number) => Promise<readonly Answers[]>) | undefined
  readonly clock: Clock
  readonly signal?: AbortSignal
}

const PAUSE_MS = 60_000

/** Fewer errors than this may be chance, or a defect that one client meets. */
const MIN_ERRORS = 5
/** The share of errors that is too many, and how much larger than before it must be. */
const MAX_SHARE = 0.01
const MAX_RATIO = 2

/**
 * Watches a new version for some minutes: checks it once a minute, and compares its errors with those of the versions
 * before. Returns the reason to go back; undefined without one.
 */
export async function watch(options: WatchOptions): Promise<string | undefined> {
  const { minutes, check, clock, signal } = options
  const judge = judging(options)
  const until = clock.now() + minutes * 60_000
  while (clock.now() < until) {
    await clock.sleep(Math.min(PAUSE_MS, until - clock.now()), signal)
    // A single failure may be the network between here and the service.
    if (!(await check()) && !(await check())) return 'a check failed twice in a row, see above'
    const reason = await judge()
    if (reason !== undefined) return reason
  }
  return undefined
}

/** Reads and compares the errors each time it is called, until the account refuses to tell. */
function judging({ version, readAnswers, clock }: WatchOptions): () => Promise<string | undefined> {
  const since = clock.now()
  let read = readAnswers
  return async () => {
    try {
      return read && compareErrors(await read(since), version)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      console.log(`?      errors not read (${reason}). The token needs Account Analytics: Read`)
      read = undefined
      return undefined
    }
  }
}

/**
 * Compares the errors of a version since its deployment with all others of the hour. The same version may have run before,
 * with other settings. Returns a reason if the share is too large.
 */
export function compareErrors(answers: readonly Answers[], version: string): string | undefined {
  const isNow = (each: Answers) => each.isSince && each.version === version
  const now = sum(answers.filter(isNow))
  const before = sum(answers.filter((each) => !isNow(each)))
  console.log(`ok     ${now.requests} requests, ${now.errors} of them with a status of 500 or more`)
  if (now.errors < MIN_ERRORS || now.share <= MAX_SHARE || now.share <= before.share * MAX_RATIO)
    return undefined
  return `${now.errors} of ${now.requests} requests had a status of 500 or more (${percent(now.share)}, before ${percent(before.share)})`
}

function sum(answers: readonly Answers[]) {
  const requests = answers.reduce((total, each) => total + each.requests, 0)
  const errors = answers.reduce((total, each) => total + each.errors, 0)
  return { requests, errors, share: requests === 0 ? 0 : errors / requests }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
