# Fills an empty database of Redmine; run by `rails runner`. The last line it prints says what is in it, as JSON.
#
# Roles: Manager (gateway, alice) may make every transition. Developer (bob) may not reopen a closed issue, and
# Redmine answers that with 204 and changes nothing. Reporter (carol, dave) may not see private notes.
$stdout = $stderr
ActiveRecord::Base.connection.migration_context.migrate
ActiveRecord::Base.descendants.each(&:reset_column_information)
Redmine::DefaultData::Loader.load('en')

Setting.rest_api_enabled = '1'
# Without it a wrong key is somebody anonymous: 200 with whatever is public.
Setting.login_required = '1'
Setting.notified_events = []
Setting.attachment_max_size = 2048

manager, developer, reporter = %w[Manager Developer Reporter].map { |name| Role.find_by_name(name) }
[manager, developer].each do |role|
  role.add_permission!(:view_private_notes, :set_notes_private, :edit_issues, :add_issue_notes)
end

projects = [['Helpdesk', 'helpdesk'], ['Facilities', 'facilities']].map do |name, identifier|
  project = Project.create!(name: name, identifier: identifier, is_public: false, enabled_module_names: ['issue_tracking'])
  project.trackers = Tracker.all
  project
end

[
  ['gateway', 'Gateway', 'Service', manager],
  ['alice', 'Alice', 'Agent', manager],
  ['bob', 'Bob', 'Agent', developer],
  ['carol', 'Carol', 'Customer', reporter],
  ['dave', 'Dave', "O'Hara", reporter],
].each do |login, first, last, role|
  user = User.new(firstname: first, lastname: last, mail: "#{login}@example.test", language: 'en')
  user.login = login
  user.password = user.password_confirmation = "Passw0rd!#{login}"
  user.save!
  # Lists and searches of users are for administrators.
  user.update_column(:admin, true) if login == 'gateway'
  projects.each { |project| Member.create!(project: project, principal: user, roles: [role]) }
  Token.where(user_id: user.id, action: 'api').delete_all
  token = Token.new(user: user, action: 'api')
  token.save!
  token.update_column(:value, login.ljust(40, '0'))
end
team = Group.create!(name: 'Network Team')
team.users << User.find_by_login('alice')
projects.each { |project| Member.create!(project: project, principal: team, roles: [manager]) }
Setting.issue_group_assignment = '1'

fields = [
  { name: 'Requester email', field_format: 'string', is_filter: true },
  { name: 'Marker', field_format: 'string', is_filter: true },
  { name: 'Resolution', field_format: 'string' },
  { name: 'Site', field_format: 'list', possible_values: %w[Berlin Lisbon], is_filter: true },
].map { |given| IssueCustomField.create!(is_for_all: true, trackers: Tracker.all, **given) }

by_name = ->(rows) { rows.map { |row| [row.name, row.id] }.to_h }
STDOUT.puts({
  users: User.where.not(login: '').map { |user| [user.login, user.id] }.to_h,
  statuses: by_name.(IssueStatus.all), trackers: by_name.(Tracker.all), priorities: by_name.(IssuePriority.all),
  fields: by_name.(fields),
}.to_json)
