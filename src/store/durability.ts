/** [SEC-57]: acknowledged once taken; when handed to the operating system; after the flush to the device. */
export type Durability = 'memory' | 'process' | 'disk'
