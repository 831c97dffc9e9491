"""The administrator's room: who may borrow what, for how long, and the record of it. Layers point one way: cli, web, app, services, storage and signing, domain."""
