declare module "sortablejs" {
  const Sortable: { create: (element: HTMLElement, options?: object) => unknown };
  export default Sortable;
}
