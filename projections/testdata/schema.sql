create schema read;

create table read.checkpoint (
	only_row boolean primary key default true check (only_row),
	build text not null,
	fence uuid not null default gen_random_uuid(),
	commit_position bigint not null default 0,
	prepare_position bigint not null default 0,
	events bigint not null default 0,
	loading boolean not null,
	updated_at timestamptz not null default now()
);

insert into read.checkpoint (build, loading) values ('42d4fadc81ba', true);

create table read.firms (
	id uuid not null,
	firm uuid not null,
	revision bigint not null,
	name text not null,
	slug text not null,
	currency text not null,
	time_zone text not null,
	number_format text not null,
	invoice_prefix text not null,
	modules_off text[] not null,
	address text not null,
	tax_id text not null,
	payment_details text not null,
	primary_color text not null,
	accent_color text not null,
	show_unreleased_invoices boolean not null,
	show_history boolean not null,
	default_audience text not null,
	require_second_factor_for_clients boolean not null,
	client_session_days bigint not null,
	logo uuid,
	logo_sha256 text not null,
	created_at timestamptz not null,
	constraint firms_pkey primary key (id)
);

create table read.staff (
	id uuid not null,
	firm uuid not null,
	name text not null,
	role text not null,
	active boolean not null,
	constraint staff_pkey primary key (id)
);

create table read.staff_details (
	id uuid not null,
	firm uuid not null,
	email text not null,
	invited_at timestamptz not null,
	deactivated_at timestamptz,
	reason text not null,
	constraint staff_details_pkey primary key (id)
);

create table read.accounts (
	id uuid not null,
	firm uuid not null,
	account uuid not null,
	revision bigint not null,
	name text not null,
	currency text not null,
	address text not null,
	tax_id text not null,
	primary_contact uuid not null,
	closed boolean not null,
	opened_at timestamptz not null,
	closed_at timestamptz,
	modules_off text[] not null,
	inward boolean not null,
	constraint accounts_pkey primary key (id)
);

create table read.account_notes (
	id uuid not null,
	firm uuid not null,
	notes text not null,
	close_reason text not null,
	constraint account_notes_pkey primary key (id)
);

create table read.contacts (
	id uuid not null,
	firm uuid not null,
	account uuid not null,
	revision bigint not null,
	accounts uuid[] not null,
	name text not null,
	email text not null,
	phone text not null,
	role text not null,
	permissions text[] not null,
	access text not null,
	frozen boolean not null,
	primary_contact boolean not null,
	merged_into uuid,
	notifications_off text[] not null,
	absorbed uuid[] not null,
	added_at timestamptz not null,
	constraint contacts_pkey primary key (id)
);

create table read.contact_notes (
	id uuid not null,
	firm uuid not null,
	account uuid not null,
	freeze_reason text not null,
	revoke_reason text not null,
	merge_reason text not null,
	constraint contact_notes_pkey primary key (id)
);

create table read.memberships (
	contact uuid not null,
	account uuid not null,
	firm uuid not null,
	own boolean not null,
	role text not null,
	permissions text[] not null,
	since timestamptz not null,
	constraint memberships_pkey primary key (contact, account)
);

create table read.projects (
	id uuid not null,
	firm uuid not null,
	account uuid not null,
	revision bigint not null,
	name text not null,
	description text not null,
	stages text[] not null,
	stage text not null,
	stage_index bigint not null,
	health text not null,
	health_note text not null,
	completed boolean not null,
	opened_at timestamptz not null,
	completed_at timestamptz,
	constraint projects_pkey primary key (id)
);

create table read.project_team (
	project uuid not null,
	staff uuid not null,
	firm uuid not null,
	account uuid not null,
	role text not null,
	assigned_at timestamptz not null,
	constraint project_team_pkey primary key (project, staff)
);

create table read.invoices (
	id uuid not null,
	firm uuid not null,
	account uuid not null,
	revision bigint not null,
	project uuid,
	recipients uuid[] not null,
	status text not null,
	released boolean not null,
	void boolean not null,
	number bigint,
	label text not null,
	currency text not null,
	issued date,
	due date not null,
	note text not null,
	lines jsonb not null,
	seller jsonb not null,
	buyer jsonb not null,
	tax_groups jsonb not null,
	rule jsonb not null,
	net bigint not null,
	tax bigint not null,
	total bigint not null,
	paid bigint not null,
	refunded bigint not null,
	credited bigint not null,
	voided bigint not null,
	due_amount bigint not null,
	overdue_marked boolean not null,
	imported boolean not null,
	drafted_at timestamptz not null,
	sent_at timestamptz,
	paid_at timestamptz,
	voided_at timestamptz,
	constraint invoices_pkey primary key (id)
);

create table read.credit_notes (
	id uuid not null,
	firm uuid not null,
	account uuid not null,
	invoice uuid not null,
	number bigint not null,
	label text not null,
	amount bigint not null,
	currency text not null,
	tax_groups jsonb not null,
	date date not null,
	issued_at timestamptz not null,
	constraint credit_notes_pkey primary key (id)
);

create table read.invoice_reasons (
	id uuid not null,
	firm uuid not null,
	account uuid not null,
	invoice uuid not null,
	kind text not null,
	reason text not null,
	recorded_at timestamptz not null,
	constraint invoice_reasons_pkey primary key (id)
);

create table read.questions (
	id uuid not null,
	firm uuid not null,
	account uuid not null,
	invoice uuid not null,
	contact uuid not null,
	text text not null,
	asked_at timestamptz not null,
	answer text not null,
	answered_by uuid,
	answered_at timestamptz,
	constraint questions_pkey primary key (id)
);

create table read.payments (
	id uuid not null,
	firm uuid not null,
	account uuid not null,
	invoice uuid not null,
	amount bigint not null,
	refunded bigint not null,
	currency text not null,
	date date not null,
	method text not null,
	reference text not null,
	due_after bigint not null,
	receipt text not null,
	recorded_at timestamptz not null,
	constraint payments_pkey primary key (id)
);

create table read.payment_attempts (
	id uuid not null,
	firm uuid not null,
	account uuid not null,
	revision bigint not null,
	invoice uuid not null,
	recipients uuid[] not null,
	label text not null,
	contact uuid not null,
	status text not null,
	cancel boolean not null,
	amount bigint not null,
	currency text not null,
	reason text not null,
	started_at timestamptz not null,
	expires_at timestamptz not null,
	ended_at timestamptz,
	constraint payment_attempts_pkey primary key (id)
);

create table read.payment_pages (
	id uuid not null,
	firm uuid not null,
	account uuid not null,
	recipients uuid[] not null,
	url text not null,
	constraint payment_pages_pkey primary key (id)
);

create table read.payment_notes (
	id uuid not null,
	firm uuid not null,
	account uuid not null,
	gateway text not null,
	reference text not null,
	capture text not null,
	received bigint not null,
	received_currency text not null,
	fee bigint not null,
	fee_currency text not null,
	why text not null,
	note text not null,
	constraint payment_notes_pkey primary key (id)
);

create table read.ledger (
	id uuid not null,
	firm uuid not null,
	account uuid not null,
	invoice uuid not null,
	kind text not null,
	label text not null,
	date date not null,
	recorded_at timestamptz not null,
	position bigint not null,
	amount bigint not null,
	currency text not null,
	constraint ledger_pkey primary key (id)
);

create table read.contracts (
	id uuid not null,
	firm uuid not null,
	account uuid not null,
	revision bigint not null,
	project uuid,
	recipients uuid[] not null,
	title text not null,
	status text not null,
	released boolean not null,
	sha256 text not null,
	parties jsonb not null,
	signer_count bigint not null,
	signed_count bigint not null,
	next_signer uuid,
	drafted_at timestamptz not null,
	sent_at timestamptz,
	completed_at timestamptz,
	completed_in bigint not null,
	ended_at timestamptz,
	constraint contracts_pkey primary key (id)
);

create table read.contract_bodies (
	id uuid not null,
	firm uuid not null,
	account uuid not null,
	body text not null,
	constraint contract_bodies_pkey primary key (id)
);

create table read.contract_signers (
	contract uuid not null,
	contact uuid not null,
	firm uuid not null,
	account uuid not null,
	place bigint not null,
	opened_at timestamptz,
	opened_by text not null,
	viewed_at timestamptz,
	read_at timestamptz,
	signed_at timestamptz,
	name text not null,
	statement text not null,
	sha256 text not null,
	form text not null,
	drawing text not null,
	declined_at timestamptz,
	ip text not null,
	user_agent text not null,
	event uuid,
	disclosure text not null,
	disclosed_at timestamptz,
	disclosed text not null,
	consented_at timestamptz,
	withdrawn_at timestamptz,
	drawing_sha256 text not null,
	proved_by text not null,
	proved_at timestamptz,
	copy_at timestamptz,
	constraint contract_signers_pkey primary key (contract, contact)
);

create table read.contract_notes (
	id uuid not null,
	firm uuid not null,
	account uuid not null,
	declined_by uuid,
	decline_reason text not null,
	void_reason text not null,
	constraint contract_notes_pkey primary key (id)
);

create table read.numbers (
	firm uuid not null,
	kind text not null,
	number bigint not null,
	document uuid not null,
	reserved_at timestamptz not null,
	constraint numbers_pkey primary key (firm, kind, number)
);

create table read.access (
	id uuid not null,
	firm uuid not null,
	account uuid,
	revision bigint not null,
	person uuid not null,
	person_kind text not null,
	recipients uuid[] not null,
	constraint access_pkey primary key (id)
);

create table read.last_seen (
	person uuid not null,
	firm uuid not null,
	account uuid,
	person_kind text not null,
	recipients uuid[] not null,
	invited_at timestamptz,
	signed_in_at timestamptz,
	method text not null,
	seen_at timestamptz,
	refused_at timestamptz,
	second_factor boolean not null,
	has_totp boolean not null,
	passkeys bigint not null,
	constraint last_seen_pkey primary key (person)
);

create table read.audit (
	id uuid not null,
	firm uuid not null,
	account uuid,
	revision bigint not null,
	record_type text not null,
	record uuid not null,
	label text not null,
	client_visible boolean not null,
	recipients uuid[] not null,
	constraint audit_pkey primary key (id)
);

create table read.invoice_sums (
	firm uuid not null,
	currency text not null,
	status text not null,
	due text not null,
	invoices bigint not null,
	total bigint not null,
	paid bigint not null,
	credited bigint not null,
	due_amount bigint not null,
	constraint invoice_sums_pkey primary key (firm, currency, status, due)
);

create table read.month_sums (
	firm uuid not null,
	currency text not null,
	month text not null,
	kind text not null,
	entries bigint not null,
	amount bigint not null,
	constraint month_sums_pkey primary key (firm, currency, month, kind)
);

create table read.project_sums (
	firm uuid not null,
	health text not null,
	stage text not null,
	stage_index bigint not null,
	projects bigint not null,
	constraint project_sums_pkey primary key (firm, health, stage, stage_index)
);

create table read.contract_sums (
	firm uuid not null,
	status text not null,
	contracts bigint not null,
	constraint contract_sums_pkey primary key (firm, status)
);

create table read.account_sums (
	firm uuid not null,
	state text not null,
	accounts bigint not null,
	constraint account_sums_pkey primary key (firm, state)
);

create table read.history (
	position bigint not null,
	firm uuid not null,
	account uuid,
	stream text not null,
	category text not null,
	record uuid not null,
	label text not null,
	event text not null,
	revision bigint not null,
	time timestamptz not null,
	actor text not null,
	actor_kind text not null,
	on_behalf_of uuid,
	sentence text not null,
	changes jsonb not null,
	command uuid,
	cause uuid,
	event_id uuid not null,
	client_visible boolean not null,
	recipients uuid[] not null,
	permission text not null,
	ip text not null,
	user_agent text not null,
	session text not null,
	request text not null
);

create table read.parked (
	position bigint not null,
	prepare bigint not null,
	firm uuid,
	stream text not null,
	revision bigint not null,
	event_id uuid,
	event text not null,
	data bytea not null,
	metadata bytea not null,
	created timestamptz,
	error text not null,
	constraint parked_pkey primary key (position)
);

create index firms_1 on read.firms (slug);

create index staff_1 on read.staff (firm);

create index staff_details_1 on read.staff_details (firm, lower(email));

create index accounts_1 on read.accounts (firm, name, id);

create index accounts_2 on read.accounts (account);

create index contacts_1 on read.contacts (account, name, id);

create index contacts_2 on read.contacts (firm, name, id);

create index contacts_3 on read.contacts (firm, lower(email));

create index memberships_1 on read.memberships (account);

create index projects_1 on read.projects (account, opened_at, id);

create index projects_2 on read.projects (firm, opened_at, id);

create index project_team_1 on read.project_team (staff);

create index invoices_1 on read.invoices (account, drafted_at, id);

create index invoices_2 on read.invoices (firm, drafted_at, id);

create index invoices_3 on read.invoices (firm, due, id) where due_amount > 0;

create index invoices_4 on read.invoices (account, due, id) where due_amount > 0;

create index invoices_5 on read.invoices (project) where project is not null;

create index invoices_6 on read.invoices (firm, number) where number is not null;

create index credit_notes_1 on read.credit_notes (invoice);

create index credit_notes_2 on read.credit_notes (account, issued_at, id);

create index credit_notes_3 on read.credit_notes (firm, number);

create index invoice_reasons_1 on read.invoice_reasons (invoice);

create index questions_1 on read.questions (invoice);

create index questions_2 on read.questions (firm, asked_at) where answered_at is null;

create index payments_1 on read.payments (invoice);

create index payments_2 on read.payments (account, date, id);

create index payments_3 on read.payments (firm, date, id);

create index payment_attempts_1 on read.payment_attempts (invoice, started_at);

create index payment_attempts_2 on read.payment_attempts (account, started_at, id);

create index payment_attempts_3 on read.payment_attempts (firm, started_at, id);

create index payment_attempts_4 on read.payment_attempts (started_at) where status in ('started', 'handed_over');

create index payment_attempts_5 on read.payment_attempts (firm) where status = 'review';

create index ledger_1 on read.ledger (account, date, position);

create index ledger_2 on read.ledger (invoice);

create index contracts_1 on read.contracts (account, drafted_at, id);

create index contracts_2 on read.contracts (firm, drafted_at, id);

create index contracts_3 on read.contracts (project) where project is not null;

create index contract_signers_1 on read.contract_signers (contact);

create index numbers_1 on read.numbers (document);

create index last_seen_1 on read.last_seen (firm, seen_at);

alter table read.history add constraint history_pkey primary key (position);

create index history_1 on read.history (firm, position desc);

create index history_2 on read.history (account, position desc);

create index history_3 on read.history (record, position desc);

create index parked_1 on read.parked (stream, position);

set local search_path = read;

update read.checkpoint set loading = false;

grant usage on schema read to atrium_projector, atrium_staff, atrium_client;

grant select on read.checkpoint to atrium_staff, atrium_client;

alter table read.checkpoint enable row level security;

alter table read.checkpoint force row level security;

grant select, insert, update, delete on read.checkpoint to atrium_projector;

create policy projector on read.checkpoint to atrium_projector, current_user using (true) with check (true);

create policy readers on read.checkpoint for select to atrium_staff, atrium_client using (true);

alter table read.firms enable row level security;

alter table read.firms force row level security;

grant select, insert, update, delete on read.firms to atrium_projector;

create policy projector on read.firms to atrium_projector, current_user using (true) with check (true);

grant select on read.firms to atrium_staff;

create policy staff on read.firms for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.firms to atrium_client;

create policy client on read.firms for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

alter table read.staff enable row level security;

alter table read.staff force row level security;

grant select, insert, update, delete on read.staff to atrium_projector;

create policy projector on read.staff to atrium_projector, current_user using (true) with check (true);

grant select on read.staff to atrium_staff;

create policy staff on read.staff for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.staff to atrium_client;

create policy client on read.staff for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

alter table read.staff_details enable row level security;

alter table read.staff_details force row level security;

grant select, insert, update, delete on read.staff_details to atrium_projector;

create policy projector on read.staff_details to atrium_projector, current_user using (true) with check (true);

grant select on read.staff_details to atrium_staff;

create policy staff on read.staff_details for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

alter table read.accounts enable row level security;

alter table read.accounts force row level security;

grant select, insert, update, delete on read.accounts to atrium_projector;

create policy projector on read.accounts to atrium_projector, current_user using (true) with check (true);

grant select on read.accounts to atrium_staff;

create policy staff on read.accounts for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.accounts to atrium_client;

create policy client on read.accounts for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]));

alter table read.account_notes enable row level security;

alter table read.account_notes force row level security;

grant select, insert, update, delete on read.account_notes to atrium_projector;

create policy projector on read.account_notes to atrium_projector, current_user using (true) with check (true);

grant select on read.account_notes to atrium_staff;

create policy staff on read.account_notes for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

alter table read.contacts enable row level security;

alter table read.contacts force row level security;

grant select, insert, update, delete on read.contacts to atrium_projector;

create policy projector on read.contacts to atrium_projector, current_user using (true) with check (true);

grant select on read.contacts to atrium_staff;

create policy staff on read.contacts for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select (id, firm, account, revision, name, email, phone, role, permissions, access, frozen, primary_contact, merged_into, notifications_off, absorbed, added_at) on read.contacts to atrium_client;

create policy client on read.contacts for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and accounts && (select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]);

alter table read.contact_notes enable row level security;

alter table read.contact_notes force row level security;

grant select, insert, update, delete on read.contact_notes to atrium_projector;

create policy projector on read.contact_notes to atrium_projector, current_user using (true) with check (true);

grant select on read.contact_notes to atrium_staff;

create policy staff on read.contact_notes for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

alter table read.memberships enable row level security;

alter table read.memberships force row level security;

grant select, insert, update, delete on read.memberships to atrium_projector;

create policy projector on read.memberships to atrium_projector, current_user using (true) with check (true);

grant select on read.memberships to atrium_staff;

create policy staff on read.memberships for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.memberships to atrium_client;

create policy client on read.memberships for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]));

alter table read.projects enable row level security;

alter table read.projects force row level security;

grant select, insert, update, delete on read.projects to atrium_projector;

create policy projector on read.projects to atrium_projector, current_user using (true) with check (true);

grant select on read.projects to atrium_staff;

create policy staff on read.projects for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.projects to atrium_client;

create policy client on read.projects for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]) and ((select 'view_projects' = any(nullif(current_setting('app.permissions', true), '')::text[]))));

alter table read.project_team enable row level security;

alter table read.project_team force row level security;

grant select, insert, update, delete on read.project_team to atrium_projector;

create policy projector on read.project_team to atrium_projector, current_user using (true) with check (true);

grant select on read.project_team to atrium_staff;

create policy staff on read.project_team for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.project_team to atrium_client;

create policy client on read.project_team for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]) and ((select 'view_projects' = any(nullif(current_setting('app.permissions', true), '')::text[]))));

alter table read.invoices enable row level security;

alter table read.invoices force row level security;

grant select, insert, update, delete on read.invoices to atrium_projector;

create policy projector on read.invoices to atrium_projector, current_user using (true) with check (true);

grant select on read.invoices to atrium_staff;

create policy staff on read.invoices for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.invoices to atrium_client;

create policy client on read.invoices for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]) and (recipients = '{}' or recipients && (select ('{' || trim(both '{}' from coalesce(current_setting('app.contact', true), '')) || '}')::uuid[])) and ((released or (select current_setting('app.unreleased', true) = 'on')) and (select 'view_invoices' = any(nullif(current_setting('app.permissions', true), '')::text[]))));

alter table read.credit_notes enable row level security;

alter table read.credit_notes force row level security;

grant select, insert, update, delete on read.credit_notes to atrium_projector;

create policy projector on read.credit_notes to atrium_projector, current_user using (true) with check (true);

grant select on read.credit_notes to atrium_staff;

create policy staff on read.credit_notes for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.credit_notes to atrium_client;

create policy client on read.credit_notes for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]) and (exists (select from invoices where invoices.id = credit_notes.invoice)));

alter table read.invoice_reasons enable row level security;

alter table read.invoice_reasons force row level security;

grant select, insert, update, delete on read.invoice_reasons to atrium_projector;

create policy projector on read.invoice_reasons to atrium_projector, current_user using (true) with check (true);

grant select on read.invoice_reasons to atrium_staff;

create policy staff on read.invoice_reasons for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

alter table read.questions enable row level security;

alter table read.questions force row level security;

grant select, insert, update, delete on read.questions to atrium_projector;

create policy projector on read.questions to atrium_projector, current_user using (true) with check (true);

grant select on read.questions to atrium_staff;

create policy staff on read.questions for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.questions to atrium_client;

create policy client on read.questions for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]) and (exists (select from invoices where invoices.id = questions.invoice)));

alter table read.payments enable row level security;

alter table read.payments force row level security;

grant select, insert, update, delete on read.payments to atrium_projector;

create policy projector on read.payments to atrium_projector, current_user using (true) with check (true);

grant select on read.payments to atrium_staff;

create policy staff on read.payments for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.payments to atrium_client;

create policy client on read.payments for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]) and (exists (select from invoices where invoices.id = payments.invoice)));

alter table read.payment_attempts enable row level security;

alter table read.payment_attempts force row level security;

grant select, insert, update, delete on read.payment_attempts to atrium_projector;

create policy projector on read.payment_attempts to atrium_projector, current_user using (true) with check (true);

grant select on read.payment_attempts to atrium_staff;

create policy staff on read.payment_attempts for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.payment_attempts to atrium_client;

create policy client on read.payment_attempts for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]) and (recipients = '{}' or recipients && (select ('{' || trim(both '{}' from coalesce(current_setting('app.contact', true), '')) || '}')::uuid[])) and ((select 'view_invoices' = any(nullif(current_setting('app.permissions', true), '')::text[]))));

alter table read.payment_pages enable row level security;

alter table read.payment_pages force row level security;

grant select, insert, update, delete on read.payment_pages to atrium_projector;

create policy projector on read.payment_pages to atrium_projector, current_user using (true) with check (true);

grant select on read.payment_pages to atrium_staff;

create policy staff on read.payment_pages for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.payment_pages to atrium_client;

create policy client on read.payment_pages for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]) and (recipients = '{}' or recipients && (select ('{' || trim(both '{}' from coalesce(current_setting('app.contact', true), '')) || '}')::uuid[])) and ((select 'pay_invoices' = any(nullif(current_setting('app.permissions', true), '')::text[])) and (select 'view_invoices' = any(nullif(current_setting('app.permissions', true), '')::text[]))));

alter table read.payment_notes enable row level security;

alter table read.payment_notes force row level security;

grant select, insert, update, delete on read.payment_notes to atrium_projector;

create policy projector on read.payment_notes to atrium_projector, current_user using (true) with check (true);

grant select on read.payment_notes to atrium_staff;

create policy staff on read.payment_notes for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

alter table read.ledger enable row level security;

alter table read.ledger force row level security;

grant select, insert, update, delete on read.ledger to atrium_projector;

create policy projector on read.ledger to atrium_projector, current_user using (true) with check (true);

grant select on read.ledger to atrium_staff;

create policy staff on read.ledger for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.ledger to atrium_client;

create policy client on read.ledger for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]) and (exists (select from invoices where invoices.id = ledger.invoice)));

alter table read.contracts enable row level security;

alter table read.contracts force row level security;

grant select, insert, update, delete on read.contracts to atrium_projector;

create policy projector on read.contracts to atrium_projector, current_user using (true) with check (true);

grant select on read.contracts to atrium_staff;

create policy staff on read.contracts for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.contracts to atrium_client;

create policy client on read.contracts for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]) and (recipients = '{}' or recipients && (select ('{' || trim(both '{}' from coalesce(current_setting('app.contact', true), '')) || '}')::uuid[])) and (released and (select 'view_contracts' = any(nullif(current_setting('app.permissions', true), '')::text[])) and (status <> 'complete' or exists (select from firms where firms.id = contracts.firm and firms.show_history))));

alter table read.contract_bodies enable row level security;

alter table read.contract_bodies force row level security;

grant select, insert, update, delete on read.contract_bodies to atrium_projector;

create policy projector on read.contract_bodies to atrium_projector, current_user using (true) with check (true);

grant select on read.contract_bodies to atrium_staff;

create policy staff on read.contract_bodies for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.contract_bodies to atrium_client;

create policy client on read.contract_bodies for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]) and (exists (select from contracts where contracts.id = contract_bodies.id)));

alter table read.contract_signers enable row level security;

alter table read.contract_signers force row level security;

grant select, insert, update, delete on read.contract_signers to atrium_projector;

create policy projector on read.contract_signers to atrium_projector, current_user using (true) with check (true);

grant select on read.contract_signers to atrium_staff;

create policy staff on read.contract_signers for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.contract_signers to atrium_client;

create policy client on read.contract_signers for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]) and (exists (select from contracts where contracts.id = contract_signers.contract)));

alter table read.contract_notes enable row level security;

alter table read.contract_notes force row level security;

grant select, insert, update, delete on read.contract_notes to atrium_projector;

create policy projector on read.contract_notes to atrium_projector, current_user using (true) with check (true);

grant select on read.contract_notes to atrium_staff;

create policy staff on read.contract_notes for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

alter table read.numbers enable row level security;

alter table read.numbers force row level security;

grant select, insert, update, delete on read.numbers to atrium_projector;

create policy projector on read.numbers to atrium_projector, current_user using (true) with check (true);

grant select on read.numbers to atrium_staff;

create policy staff on read.numbers for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

alter table read.access enable row level security;

alter table read.access force row level security;

grant select, insert, update, delete on read.access to atrium_projector;

create policy projector on read.access to atrium_projector, current_user using (true) with check (true);

grant select on read.access to atrium_staff;

create policy staff on read.access for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.access to atrium_client;

create policy client on read.access for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]) and (recipients = '{}' or recipients && (select ('{' || trim(both '{}' from coalesce(current_setting('app.contact', true), '')) || '}')::uuid[])));

alter table read.last_seen enable row level security;

alter table read.last_seen force row level security;

grant select, insert, update, delete on read.last_seen to atrium_projector;

create policy projector on read.last_seen to atrium_projector, current_user using (true) with check (true);

grant select on read.last_seen to atrium_staff;

create policy staff on read.last_seen for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select on read.last_seen to atrium_client;

create policy client on read.last_seen for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]) and (recipients = '{}' or recipients && (select ('{' || trim(both '{}' from coalesce(current_setting('app.contact', true), '')) || '}')::uuid[])));

alter table read.audit enable row level security;

alter table read.audit force row level security;

grant select, insert, update, delete on read.audit to atrium_projector;

create policy projector on read.audit to atrium_projector, current_user using (true) with check (true);

grant select on read.audit to atrium_staff;

create policy staff on read.audit for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

alter table read.invoice_sums enable row level security;

alter table read.invoice_sums force row level security;

grant select, insert, update, delete on read.invoice_sums to atrium_projector;

create policy projector on read.invoice_sums to atrium_projector, current_user using (true) with check (true);

grant select on read.invoice_sums to atrium_staff;

create policy staff on read.invoice_sums for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

alter table read.month_sums enable row level security;

alter table read.month_sums force row level security;

grant select, insert, update, delete on read.month_sums to atrium_projector;

create policy projector on read.month_sums to atrium_projector, current_user using (true) with check (true);

grant select on read.month_sums to atrium_staff;

create policy staff on read.month_sums for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

alter table read.project_sums enable row level security;

alter table read.project_sums force row level security;

grant select, insert, update, delete on read.project_sums to atrium_projector;

create policy projector on read.project_sums to atrium_projector, current_user using (true) with check (true);

grant select on read.project_sums to atrium_staff;

create policy staff on read.project_sums for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

alter table read.contract_sums enable row level security;

alter table read.contract_sums force row level security;

grant select, insert, update, delete on read.contract_sums to atrium_projector;

create policy projector on read.contract_sums to atrium_projector, current_user using (true) with check (true);

grant select on read.contract_sums to atrium_staff;

create policy staff on read.contract_sums for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

alter table read.account_sums enable row level security;

alter table read.account_sums force row level security;

grant select, insert, update, delete on read.account_sums to atrium_projector;

create policy projector on read.account_sums to atrium_projector, current_user using (true) with check (true);

grant select on read.account_sums to atrium_staff;

create policy staff on read.account_sums for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

alter table read.history enable row level security;

alter table read.history force row level security;

grant select, insert, update, delete on read.history to atrium_projector;

create policy projector on read.history to atrium_projector, current_user using (true) with check (true);

grant select on read.history to atrium_staff;

create policy staff on read.history for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);

grant select (position, firm, account, stream, category, record, label, event, revision, time, actor, actor_kind, on_behalf_of, sentence, changes, command, cause, event_id, client_visible, recipients, permission) on read.history to atrium_client;

create policy client on read.history for select to atrium_client using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid and account = any((select nullif(current_setting('app.accounts', true), '')::uuid[])::uuid[]) and (recipients = '{}' or recipients && (select ('{' || trim(both '{}' from coalesce(current_setting('app.contact', true), '')) || '}')::uuid[])) and (client_visible and (select current_setting('app.history', true) = 'on') and (permission = '' or permission = any((select nullif(current_setting('app.permissions', true), '')::text[])::text[]))));

alter table read.parked enable row level security;

alter table read.parked force row level security;

grant select, insert, update, delete on read.parked to atrium_projector;

create policy projector on read.parked to atrium_projector, current_user using (true) with check (true);

grant select on read.parked to atrium_staff;

create policy staff on read.parked for select to atrium_staff using (firm = (select nullif(current_setting('app.firm', true), '')::uuid)::uuid);
