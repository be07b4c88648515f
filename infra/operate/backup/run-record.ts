import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../cli/user-error.ts'
import type { Clock } from '../service/clock.ts'

/** What a tool has done in a folder, so that it goes on there when it is run again. */
export interface RunRecord {
  /** What is done by now. */
  readonly done: ReadonlySet<string>
  note(name: string): void
  /** Everything is done: the next run is a new one. */
  end(): void
}

export interface RunOptions {
  readonly api: string
  /** Begins anew, whatever an earlier run has done. */
  readonly again: boolean
  readonly clock: Pick<Clock, 'now'>
}

/** Where the record of each tool is. */
const FILES = { 'back-up': 'backup.run', restore: 'restore.run' } as const

/** A run that began earlier is another one: what it has done is too old to be part of this one, ms. */
const RESUMED_WITHIN_MS = 12 * 3600_000

/**
 * Goes on with the run that was not brought to its end in a folder, and says so, or begins a new one. The record is a line for its
 * beginning and one for each name, so that a process that is killed loses at most the last.
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
    // Ends the line that a killed process or a full disk has torn, so that the next name has a line of its own.
    writing(folder, () => appendFileSync(file, '\n'))
  }
  if (isResumed) {
    const since = new Date(began.at).toISOString()
    console.log(`Going on with the ${tool} that began at ${since}; --again begins a new one`)
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

/** Does something in a folder; that it cannot be written is one line, and the end of all of it. */
export function writing<T>(folder: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new FolderError(folder, cause)
  }
}

/** A folder that cannot be written, or is full: there is no going on. */
export class FolderError extends UserError {
  constructor(folder: string, cause: unknown) {
    super(`${folder} cannot be written: ${cause instanceof Error ? cause.message : cause}`)
  }
}

interface Began {
  readonly api: string
  readonly at: number
}

function lineOf(value: Began | string): string {
  return `${JSON.stringify(value)}\n`
}

/** The whole lines that this tool has written there, the beginning first. A line that was torn is none of them. */
function readLines(file: string): readonly [Began?, ...string[]] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  // Each was written by `lineOf`.
  return lines.flatMap(parsed) as [Began?, ...string[]]
}

/** The value of a line; nothing if the line is no JSON. */
function parsed(line: string): readonly unknown[] {
  try {
    return [JSON.parse(line)]
  } catch {
    return []
  }
}
