import { expect, test } from 'vitest'
import { DECISION_BUGS } from './planting/decision-bugs.ts'
import { FEED_BUGS } from './planting/feed-bugs.ts'
import { GROUP_BUGS } from './planting/group-bugs.ts'
import { type Bug, plantBug, seamsOf } from './planting/plant.ts'
import { STORAGE_BUGS } from './planting/storage-bugs.ts'
import { runHistory } from './run-history.ts'
import { alteredFloor, SMALL_LIMITS } from './workshop.ts'

const BUGS = [...STORAGE_BUGS, ...GROUP_BUGS, ...DECISION_BUGS, ...FEED_BUGS]

/** The number of histories in which a bug has to show. */
const HISTORIES = 40

const SEAMS = seamsOf(BUGS)

/** Built once for all bugs. Every second history has small limits, as in a campaign. */
const floors = Promise.all([alteredFloor([...SMALL_LIMITS, ...SEAMS]), alteredFloor(SEAMS)])

test.each(BUGS)('finds a product that $name', async (bug) => {
  expect(nameOf(await firstSymptom(bug))).toBe('Violation')
})

/** Finds the first violation, or another error, in the histories of a product with a bug. */
async function firstSymptom(bug: Bug): Promise<unknown> {
  const { from = 1 } = bug
  let isMet = false
  for (let seed = from; seed < from + HISTORIES; seed++) {
    const floor = (await floors)[seed % 2 === 0 ? 0 : 1]
    const meets = plantBug(floor, bug)
    try {
      await runHistory(seed, floor)
    } catch (symptom) {
      return symptom
    }
    isMet ||= meets()
  }
  const functions = bug.plants.map((one) => one.function).join(', ')
  return isMet
    ? `not seen in ${HISTORIES} histories from seed ${from}`
    : `never run: worker/src does not call ${functions} where the bug was. Plant it where this is decided now.`
}

/** The name of an error, or the text that says why there was no error. */
function nameOf(symptom: unknown): unknown {
  return symptom instanceof Error ? symptom.name : symptom
}
