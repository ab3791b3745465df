/** libdispatch's quality-of-service classes, the most urgent first. */
export const qualitiesOfService = ['user-interactive', 'user-initiated', 'default', 'utility', 'background'] as const

/** How urgent work is: decides which ready queue of a thread drains next. */
export type QualityOfService = (typeof qualitiesOfService)[number]

/** The band of a class: 0 is the most urgent. */
export function bandOf(qos: QualityOfService): number {
  return qualitiesOfService.indexOf(qos)
}
