import { MAX_GROUP_CHANGES } from '../../core/values/limits.ts'
import type { Draft, Reads } from './draft.ts'

/** A batch that is ready to be decided. */
export interface Batch<T> extends Reads {
  /** Decides the batch and adds its writes to the draft. Returns null if contents must be opened first. */
  decide(draft: Draft): T | null
  /** Opens the contents that the last decision lacked. */
  open(): Promise<void>
}

/**
 * Commits the batches that are ready at the same time in one transaction (group commit), because a commit takes longer
 * than a decision. Each batch is decided in the order of arrival against the writes of those before it, and takes effect
 * as a whole or not at all.
 */
export interface Group {
  /**
   * Resolves with the outcome of a batch once it is committed. While a batch opens contents, later batches of its client
   * wait, because they follow it.
   */
  commit<T>(batch: Batch<T>): Promise<T>
}

/** A batch in line. */
interface Member {
  readonly batch: Batch<unknown>
  readonly resolve: (outcome: unknown) => void
  readonly reject: (thrown: unknown) => void
}

/** `makeDraft` reads the rows that some batches need. `settled` resolves when all commits before it are stored. */
export function groupOf(makeDraft: (reads: readonly Reads[]) => Draft, settled: () => Promise<void>): Group {
  const openers = openingBatches()
  let line: Member[] = []
  let lastClient: string | undefined

  function enqueue(member: Member): void {
    line.push(member)
    if (line.length > 1) return
    const { client } = member.batch
    // A client that writes alone has nobody to wait for.
    if (client === lastClient) run()
    else runSoon()
    lastClient = client
  }

  /** Puts batches that were held back in front of all later ones. */
  function resume(held: readonly Member[]): void {
    if (held.length > 0 && line.length === 0) runSoon()
    line.unshift(...held)
  }

  /**
   * Lets in the batches that arrive until the commits before are stored, or for the turn of a timer, which is a millisecond:
   * the platform takes longer to store a commit, and can store several at the same time.
   */
  function runSoon(): void {
    let isDue = true
    function runOnce(): void {
      if (!isDue) return
      isDue = false
      clearTimeout(timer)
      run()
    }
    const timer = setTimeout(runOnce, 0)
    // If a commit has failed, the members of the next group learn it from their own.
    settled().then(runOnce, runOnce)
  }

  function run(): void {
    const count = countNext(line)
    const members = line.slice(0, count)
    line = line.slice(count)
    if (line.length > 0) runSoon()
    try {
      decideTogether(members)
    } catch (cause) {
      console.warn(JSON.stringify({ level: 'warn', message: 'group not committed', error: String(cause) }))
      // The rows of one member may be at fault, so each member gets a transaction of its own.
      for (const member of members) decideAlone(member)
    }
  }

  function decideAlone(member: Member): void {
    try {
      decideTogether([member])
    } catch (thrown) {
      member.reject(thrown)
    }
  }

  /** Decides and commits, then tells the outcomes. Throws if the commit fails; then nothing has changed. */
  function decideTogether(members: readonly Member[]): void {
    const draft = makeDraft(members.map(({ batch }) => batch))
    const outcomes = members.map((member) => decideOne(draft, member))
    draft.commit()
    for (const tell of outcomes) tell()
  }

  /** Decides one batch. A throw of its decision is its own outcome and leaves the others alone. */
  function decideOne(draft: Draft, member: Member): () => void {
    const { batch, resolve, reject } = member
    if (openers.precede(batch)) return () => openers.hold(member)
    try {
      const outcome = batch.decide(draft)
      if (outcome === null) openers.begin(batch)
      return () => resolve(outcome)
    } catch (thrown) {
      return () => reject(thrown)
    }
  }

  return {
    async commit<T>(batch: Batch<T>): Promise<T> {
      try {
        for (;;) {
          const outcome = await new Promise<unknown>((resolve, reject) => enqueue({ batch, resolve, reject }))
          // The outcome is what `decide` of this batch returned.
          if (outcome !== null) return outcome as T
          await batch.open()
        }
      } finally {
        resume(openers.end(batch))
      }
    },
  }
}

/** How many members form the next group. */
function countNext(line: readonly Member[]): number {
  let changes = 0
  const end = line.findIndex(({ batch }, index) => {
    changes += batch.keys.length
    return index > 0 && changes > MAX_GROUP_CHANGES
  })
  return end === -1 ? line.length : end
}

/** The batches that open contents, at most one of each client, and the later ones of the same clients. */
interface OpeningBatches {
  /** Whether another batch of the same client is being opened. */
  precede(batch: Batch<unknown>): boolean
  begin(batch: Batch<unknown>): void
  /** Keeps a later batch until the one before it has ended. */
  hold(member: Member): void
  /** Ends the opening of a batch, and returns the batches that were kept for it. */
  end(batch: Batch<unknown>): readonly Member[]
}

function openingBatches(): OpeningBatches {
  const opening = new Map<string, { readonly batch: Batch<unknown>; readonly held: Member[] }>()
  return {
    precede: (batch) => (opening.get(batch.client)?.batch ?? batch) !== batch,

    begin(batch) {
      if (!opening.has(batch.client)) opening.set(batch.client, { batch, held: [] })
    },

    hold(member) {
      opening.get(member.batch.client)?.held.push(member)
    },

    end(batch) {
      const found = opening.get(batch.client)
      if (found?.batch !== batch) return []
      opening.delete(batch.client)
      return found.held
    },
  }
}
