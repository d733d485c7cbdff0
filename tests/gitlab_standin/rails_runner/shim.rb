# frozen_string_literal: true

# The part of GitLab's models that administrators' scripts use, answered by the Python process that started this
# one (it holds the database open). Run by `gitlab-rails runner`.
require 'date'
require 'json'
require 'time'

# The other end of the pipe.
module Bridge
  OUT = IO.for_fd(Integer(ENV.delete('GITLAB_STANDIN_BRIDGE_OUT')), 'w')
  IN = IO.for_fd(Integer(ENV.delete('GITLAB_STANDIN_BRIDGE_IN')), 'r')
  OUT.sync = true

  def self.call(operation, **arguments)
    OUT.puts JSON.generate({ operation: operation, arguments: arguments })
    answer = JSON.parse(IN.gets || raise(IOError, 'the database is gone'))
    raise ActiveRecord::RecordInvalid, answer['invalid'] if answer['invalid']
    raise ActiveRecord::RecordNotUnique, answer['taken'] if answer['taken']

    answer['value']
  end
end

module ActiveRecord
  class RecordNotFound < StandardError; end
  class RecordNotUnique < StandardError; end

  class RecordInvalid < StandardError
    def initialize(text)
      super("Validation failed: #{text}")
    end
  end
end

# What ActiveSupport adds, as far as scripts for GitLab need it.
class Duration
  def initialize(days) = @days = days
  def from_now = Time.now + (@days * 86_400)
  def ago = Time.now - (@days * 86_400)
  def to_i = @days * 86_400
end

class Integer
  { day: 1, week: 7, month: 30, year: 365 }.each do |unit, days|
    define_method(unit) { Duration.new(self * days) }
    define_method("#{unit}s") { Duration.new(self * days) }
  end
end

class Time
  class << self
    def current = now
    def zone = self
  end
end

class Date
  class << self
    def current = Time.now.utc.to_date
    def tomorrow = current + 1
    def yesterday = current - 1
  end
end

class Object
  def blank? = respond_to?(:empty?) ? empty? : !self
  def present? = !blank?
  def presence = present? ? self : nil
  def try(name, *args) = nil? ? nil : public_send(name, *args)
end

module Errors
  Messages = Struct.new(:full_messages) do
    def empty? = full_messages.empty?
    def any? = full_messages.any?
    def to_s = full_messages.join(', ')
  end
end

# A row; `attributes` are what the bridge knows of it.
class Record
  attr_reader :attributes, :errors

  def self.fields(*names)
    names.each { |name| define_method(name) { @attributes[name.to_s] } }
  end

  def initialize(attributes)
    @attributes = attributes
    @errors = Errors::Messages.new([])
  end

  def id = @attributes['id']
  def persisted? = !id.nil?
  def valid? = errors.empty?
  def ==(other) = other.class == self.class && other.id == id
  def [](name) = @attributes[name.to_s]

  def save
    save!
    true
  rescue ActiveRecord::RecordInvalid => e
    @errors = Errors::Messages.new([e.message.delete_prefix('Validation failed: ')])
    false
  end

  def inspect
    shown = @attributes.except('password')
    "#<#{self.class.name} #{shown.map { |k, v| "#{k}: #{v.inspect}" }.join(', ')}>"
  end
end

# A person.
class User < Record
  fields :username, :name, :email, :state, :namespace_id

  class << self
    def where(**conditions)
      Bridge.call('users', conditions: conditions).map { |row| new(row) }
    end

    def all = where
    def count = where.size
    def admins = where(admin: true)
    def find_by(**conditions) = where(**conditions).first
    def find_by!(**conditions) = find_by(**conditions) || raise(ActiveRecord::RecordNotFound, "Couldn't find User")
    def find_by_username(name) = find_by(username: name)
    def find_by_username!(name) = find_by!(username: name)
    def find_by_email(address) = find_by(email: address)
    def find_by_any_email(address) = find_by(email: address)
    def find(id) = find_by(id: id) || raise(ActiveRecord::RecordNotFound, "Couldn't find User with 'id'=#{id}")
    def exists?(**conditions) = !find_by(**conditions).nil?
    def first = where.min_by(&:id)
  end

  attr_writer :password, :password_confirmation

  def admin = @attributes['admin']
  alias admin? admin
  def active? = state == 'active'
  def blocked? = state == 'blocked'
  def personal_access_tokens = PersonalAccessToken::Relation.new(user_id: id)

  def block
    @attributes = Bridge.call('update_user', id: id, values: { state: 'blocked' })
    true
  end

  def activate
    @attributes = Bridge.call('update_user', id: id, values: { state: 'active' })
    true
  end

  def save!
    if @password && @password_confirmation && @password != @password_confirmation
      raise ActiveRecord::RecordInvalid, "Password confirmation doesn't match Password"
    end

    values = @password ? { password: @password } : {}
    @attributes = Bridge.call('update_user', id: id, values: values)
    true
  end
end

# A personal access token.
class PersonalAccessToken < Record
  fields :name, :user_id, :scopes, :revoked, :impersonation, :description

  # The tokens that meet some conditions.
  class Relation
    include Enumerable

    def initialize(**conditions) = @conditions = conditions
    def each(&) = rows.each(&)
    def where(**more) = Relation.new(**@conditions, **more)
    def all = self
    def find_by(**more) = where(**more).first
    def find_by_name(name) = find_by(name: name)
    def exists?(**more) = !where(**more).first.nil?
    def active = select(&:active?)
    def inactive = reject(&:active?)
    def build(**values) = PersonalAccessToken.new(**@conditions, **values)
    alias new build
    def create(**values) = build(**values).tap(&:save)
    def create!(**values) = build(**values).tap(&:save!)
    def last = rows.last
    def size = rows.size
    def empty? = rows.empty?

    private

    def rows
      Bridge.call('tokens', conditions: @conditions).map { |row| PersonalAccessToken.from_row(row) }
    end
  end

  class << self
    def from_row(row) = allocate.tap { |token| token.send(:load_row, row) }
    def where(**conditions) = Relation.new(**conditions)
    def all = where
    def find_by(**conditions) = where.find_by(**conditions)
    def find(id) = find_by(id: id) || raise(ActiveRecord::RecordNotFound, "Couldn't find PersonalAccessToken")
    def find_by_token(text) = find_by(token: text)
    def active = where.active
    def create(**values) = new(**values).tap(&:save)
    def create!(**values) = new(**values).tap(&:save!)
  end

  attr_reader :token

  def initialize(user: nil, **values)
    values[:user_id] = user.id if user
    values[:scopes] = Array(values[:scopes]).map(&:to_s)
    values[:expires_at] = values[:expires_at]&.to_date&.iso8601 unless values[:expires_at].is_a?(String)
    super(values.transform_keys(&:to_s))
  end

  def set_token(text)
    @token = text
  end

  def expires_at = @attributes['expires_at'] && Date.iso8601(@attributes['expires_at'])
  def revoked? = revoked ? true : false
  def expired? = !expires_at.nil? && expires_at <= Date.current
  def active? = persisted? && !revoked? && !expired?
  def user = User.find(user_id)

  def save!
    answer = Bridge.call('save_token', row: @attributes, token: @token)
    @token ||= answer.delete('token')
    load_row(answer.except('token'))
    true
  end

  def revoke!
    load_row(Bridge.call('revoke_token', id: id))
    true
  end

  private

  def load_row(row)
    @attributes = row
    @errors = Errors::Messages.new([])
  end
end

module Rails
  def self.env = 'production'
end

script = ARGV.shift
begin
  if script == '-'
    eval($stdin.read, TOPLEVEL_BINDING, 'stdin') # rubocop:disable Security/Eval
  elsif File.file?(script)
    load(File.expand_path(script))
  else
    eval(script, TOPLEVEL_BINDING, 'script') # rubocop:disable Security/Eval
  end
rescue SyntaxError, StandardError => e
  warn "#{e.backtrace&.first}: #{e.message} (#{e.class})"
  exit 1
end
