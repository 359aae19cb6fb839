/** What can happen to a VM without the client's doing. */
export const vmActs = [
  'start',
  'stop',
  'pause',
  'resume',
  'crash',
  'hotplug',
  'migrate',
  'move-disk',
] as const
export type VmAct = (typeof vmActs)[number]

/** Why a guest stands still; `none`: somebody wanted it. */
export const pauseReasons = ['no space', 'io', 'permission', 'other', 'none'] as const
export type PauseReason = (typeof pauseReasons)[number]
