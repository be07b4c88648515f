import { expect, test } from 'vitest'
import { DECISION_BUGS } from './planting/decision-bugs.ts'
import { FEED_BUGS } from './planting/feed-bugs.ts'
import { GROUP_BUGS } from './planting/group-bugs.ts'
import { seamsOf } from './planting/plant.ts'
import { STORAGE_BUGS } from './planting/storage-bugs.ts'
import { runHistory } from './run-history.ts'
import { firstSymptom } from './symptom.ts'
import { alteredFloor, SMALL_LIMITS } from './workshop.ts'

const BUGS = [...STORAGE_BUGS, ...GROUP_BUGS, ...DECISION_BUGS, ...FEED_BUGS]

/** The number of histories in which a bug has to show. */
const HISTORIES = 40

const SEAMS = seamsOf(BUGS)

/** Built once for all bugs. Every second history has small limits, as in a campaign. */
const floors = Promise.all([alteredFloor([...SMALL_LIMITS, ...SEAMS]), alteredFloor(SEAMS)])

test.each(BUGS)('finds a product that $name', async (bug) => {
  const [small, usual] = await floors
  const symptom = await firstSymptom(bug, {
    histories: HISTORIES,
    build: (seed) => (seed % 2 === 0 ? small : usual),
    run: runHistory,
  })
  expect(symptom).toMatch(/^Violation: /)
})
