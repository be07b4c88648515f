// `npm run simulate -- --seeds 3000 --from 1`, or `--seed 7` for one history again. `--devices`: with the product's client.
import { parseArgs } from 'node:util'
import { clientHistories, describeCampaign, deviceHistories, runCampaign } from './campaign.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '300' },
    from: { type: 'string', default: '1' },
    devices: { type: 'boolean', default: false },
  },
})

const run = await (values.devices ? deviceHistories() : clientHistories())
const histories = values.seed ? 1 : Number(values.seeds)
const campaign = await runCampaign(Number(values.seed ?? values.from), histories, run)
console.log(describeCampaign(campaign))
if (campaign.failures.length > 0) process.exitCode = 1
