import { expect, test } from 'vitest'
import { runDeviceHistory } from './devices/run-history.ts'
import { CLIENT_BUGS } from './planting/client-bugs.ts'
import { type Bug, plantBug, seamsOf } from './planting/plant.ts'
import { alteredClient, alteredFloor, SMALL_LIMITS } from './workshop.ts'

/** The number of histories in which a bug has to show. */
const HISTORIES = 120

/** Built once for all bugs. Every second history has small limits, as in a campaign. */
const floors = Promise.all([alteredFloor(SMALL_LIMITS), alteredFloor([])])
const clients = alteredClient(seamsOf(CLIENT_BUGS))

test.each(CLIENT_BUGS)('finds a client that $name', async (bug) => {
  expect(await firstSymptom(bug)).toMatch(/^Violation: /)
})

/** Finds the first violation, or another error, in the histories of a client with a bug. */
async function firstSymptom(bug: Bug): Promise<string> {
  const client = await clients
  const { from = 1 } = bug
  const meets = plantBug(client, bug)
  for (let seed = from; seed < from + HISTORIES; seed++) {
    try {
      const floor = (await floors)[seed % 2 === 0 ? 0 : 1]
      await runDeviceHistory(seed, { floor, client })
    } catch (symptom) {
      return String(symptom)
    }
  }
  return meets() ? `not seen in ${HISTORIES} histories from seed ${from}` : 'never run'
}
