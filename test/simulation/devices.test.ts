/** Histories of devices that run the client of the product, beside hand-made clients. */
import { beforeAll, expect, test } from 'vitest'
import { type Campaign, describeCampaign, deviceHistories, expectHeld, runCampaign } from './campaign.ts'

let campaign: Campaign

beforeAll(async () => {
  campaign = await runCampaign(1, 60, await deviceHistories())
  console.log(describeCampaign(campaign))
}, 300_000)

test('[IN1] brings devices to the state of the space, which they show with a true status, and settles every edit', () => {
  expectHeld(campaign, 'IN1', campaign.own)
})

test('[IN2] loses no edit of a device: each is on the service, or the device tells of it', () => {
  expectHeld(campaign, 'IN2', campaign.own)
})

test('[IN4] applies each edit of a device once, and keeps its batches under their numbers', () => {
  expectHeld(campaign, 'IN4', campaign.own)
})

test('[IN5] lets devices read their own writes', () => {
  expectHeld(campaign, 'IN5')
})

test('[IN6] makes an edit that waits on what the edit before it has become', () => {
  expectHeld(campaign, 'IN6', campaign.own)
})

test('ends no history of devices in another violation, or in a failure', () => {
  expect(campaign.failures).toEqual([])
})

test('runs histories of devices that contain every kind of event', () => {
  for (const figure of [
    'edits',
    'batches',
    'replays',
    'lostAnswers',
    'duplicates',
    'kills',
    'reloads',
    'failedWrites',
    'twoTabs',
    'freezes',
    'steals',
    'clearings',
    'expiries',
    'quotaRefusals',
    'resets',
    'erasures',
    'merges',
    'frames',
    'cuts',
    'decisions',
  ] as const) {
    expect(campaign.own.figures.get(figure), figure).toBeGreaterThan(3)
  }
})
