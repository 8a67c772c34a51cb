/** The product's wall clock in milliseconds since the epoch, shifted by the test switch [OPS-27]. Nothing else reads the time of day. */
export type Clock = () => number
