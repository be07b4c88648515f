import { expect, test } from 'vitest'
import { runDeviceHistory } from './devices/run-history.ts'
import { CLIENT_BUGS } from './planting/client-bugs.ts'
import { seamsOf } from './planting/plant.ts'
import { firstSymptom } from './symptom.ts'
import { alteredClient, alteredFloor, SMALL_LIMITS } from './workshop.ts'

/** The number of histories in which a bug has to show. */
const HISTORIES = 120

/** Built once for all bugs. Every second history has small limits, as in a campaign. */
const floors = Promise.all([alteredFloor(SMALL_LIMITS), alteredFloor([])])
const clients = alteredClient(seamsOf(CLIENT_BUGS))

test.each(CLIENT_BUGS)('finds a client that $name', async (bug) => {
  const [small, usual] = await floors
  const client = await clients
  const symptom = await firstSymptom(bug, {
    histories: HISTORIES,
    build: () => client,
    run: (seed) => runDeviceHistory(seed, { floor: seed % 2 === 0 ? small : usual, client }),
  })
  expect(symptom).toMatch(/^Violation: /)
})
