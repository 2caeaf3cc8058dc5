/** Labels of what Docker holds for labs: whoever removes a lab removes what has its label, and nothing else. */
export const LABELS = {
  /** The lab's name: on containers, networks and volumes. */
  lab: 'netpol-lab.lab',
  /** NAMESPACE/NAME of the pod: on its containers. */
  pod: 'netpol-lab.pod',
  /** The container's name in its pod. */
  container: 'netpol-lab.container',
} as const;
