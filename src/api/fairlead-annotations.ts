/**
 * What Fairlead understands beyond the Kubernetes API, as annotations. `docs/reference/service-annotations.md` explains
 * them. The API server takes any value, as Kubernetes does with annotations; whoever reads one says what is wrong.
 */

/** On a Service: how a backend is chosen. */
export const schedulerAnnotation = 'fairlead.dev/scheduler';
/** On a Service: ports that stand for a range. */
export const portRangesAnnotation = 'fairlead.dev/port-ranges';
/** On a Service: when TCP connections to a removed backend are reset. */
export const resetRemovedAnnotation = 'fairlead.dev/reset-removed';
/** On a Service: how long a new backend takes to get its full share. */
export const slowStartAnnotation = 'fairlead.dev/slow-start';
/** On an EndpointSlice: the weights of its endpoints. */
export const weightsAnnotation = 'fairlead.dev/weights';
/** On a Pod: its weight behind every Service that selects it. */
export const podWeightAnnotation = 'fairlead.dev/weight';

/** On a Node: the plane of its proxy, instead of the one that it was started with. */
export const planeAnnotation = 'fairlead.dev/plane';

/** Weights are whole numbers from 0 to this. */
export const largestWeight = 1000;
