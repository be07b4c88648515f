import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../cli/user-error.ts'
import type { Clock } from '../service/clock.ts'

/** The progress of a tool in a folder, from which its next run continues. */
export interface RunRecord {
  /** The names that are done. */
  readonly done: ReadonlySet<string>
  note(name: string): void
  /** Ends the run, so that the next one is new. */
  end(): void
}

export interface RunOptions {
  readonly api: string
  /** Ignores the progress of an earlier run. */
  readonly again: boolean
  readonly clock: Pick<Clock, 'now'>
}

/** The file with the progress of each tool. */
const FILES = { 'back-up': 'backup.run', restore: 'restore.run' } as const

/** The results of a run that started earlier are too old to be part of this one. */
const RESUMED_WITHIN_MS = 12 * 3600_000

/**
 * Continues an unfinished run in a folder and says so, or starts a new one. The file has a line for the start and one
 * for each name, so a killed process loses at most the last name.
 */
export function beginRun(
  folder: string,
  tool: 'back-up' | 'restore',
  { api, again, clock }: RunOptions,
): RunRecord {
  const file = join(folder, FILES[tool])
  const [began, ...lines] = again ? [] : readLines(file)
  const isResumed = began?.api === api && clock.now() - began.at < RESUMED_WITHIN_MS
  const done = new Set(isResumed ? lines : [])
  if (!isResumed) {
    writing(folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }))
    writing(folder, () => writeFileSync(file, lineOf({ api, at: clock.now() }), { mode: 0o600 }))
  } else if (!readFileSync(file, 'utf8').endsWith('\n')) {
    // Ends a line that a killed process or a full disk has cut off, so that the next name starts a new line.
    writing(folder, () => appendFileSync(file, '\n'))
  }
  if (isResumed) {
    const since = new Date(began.at).toISOString()
    console.log(`Continuing the ${tool} that started at ${since}. Use --again to start a new one`)
  }
  return {
    done,
    note(name) {
      writing(folder, () => appendFileSync(file, lineOf(name)))
      done.add(name)
    },
    end() {
      writing(folder, () => writeFileSync(file, ''))
    },
  }
}

/** Writes something in a folder. A failure throws a FolderError, which ends the run. */
export function writing<T>(folder: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new FolderError(folder, cause)
  }
}

/** The folder cannot be written or is full, so the run cannot continue. */
export class FolderError extends UserError {
  constructor(folder: string, cause: unknown) {
    super(`${folder} cannot be written: ${cause instanceof Error ? cause.message : cause}`)
  }
}

interface RunStart {
  readonly api: string
  readonly at: number
}

function lineOf(value: RunStart | string): string {
  return `${JSON.stringify(value)}\n`
}

/** The complete lines that this tool has written, the start first. Skips a line that was cut off. */
function readLines(file: string): readonly [RunStart?, ...string[]] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  // `lineOf` wrote each of them.
  return lines.flatMap(parsed) as [RunStart?, ...string[]]
}

/** The value of a line; empty if the line is not JSON. */
function parsed(line: string): readonly unknown[] {
  try {
    return [JSON.parse(line)]
  } catch {
    return []
  }
}
