import { beforeAll, expect, test } from 'vitest'
import { type Campaign, clientHistories, describeCampaign, expectHeld, runCampaign } from './campaign.ts'

let campaign: Campaign

beforeAll(async () => {
  campaign = await runCampaign(1, 100, await clientHistories())
  console.log(describeCampaign(campaign))
}, 300_000)

test('[IN1] brings all clients to the same state, deletions included', () => {
  expectHeld(campaign, 'IN1')
})

test('[IN2] loses no acknowledged write: each is current, in the history, in a merge, or a kept loser', () => {
  expectHeld(campaign, 'IN2')
})

test('[IN3] sends an ascending feed, and moves no cursor back without a reset', () => {
  expectHeld(campaign, 'IN3')
})

test('[IN4] applies a retry once, and repeats the reply', () => {
  expectHeld(campaign, 'IN4')
})

test('[IN5] lets clients read their own writes', () => {
  expectHeld(campaign, 'IN5')
})

test('[IN6] overwrites no version without a conflict by a client that has not seen it', () => {
  expectHeld(campaign, 'IN6')
})

test('[IN7] refuses nothing because of a clock', () => {
  expectHeld(campaign, 'IN7')
})

test('[IN8] numbers versions by one, and shows a version the same to everybody and for ever', () => {
  expectHeld(campaign, 'IN8')
})

test('[IN9] shows no client more than its token grants', () => {
  expectHeld(campaign, 'IN9')
})

test('[IN10] stores a batch as a whole or not at all, wherever the process is killed', () => {
  expectHeld(campaign, 'IN10')
})

test('[SP1] lets no client from before an erasure come back, and leaves nothing, whenever the process dies', () => {
  expectHeld(campaign, 'SP1')
})

test('ends no history in a request that fails or never ends', () => {
  expect(campaign.failures.filter(({ invariant }) => invariant === null)).toEqual([])
})

test('runs histories that contain every kind of event', () => {
  for (const figure of [
    'replays',
    'lost',
    'duplicates',
    'kills',
    'failedCommits',
    'conflicts',
    'merges',
    'resets',
    'resolutions',
    'passes',
    'frames',
    'pushes',
    'cuts',
    'naps',
    'erasures',
  ] as const) {
    expect(campaign.figures.get(figure), figure).toBeGreaterThan(30)
  }
})
