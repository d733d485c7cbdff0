# frozen_string_literal: true

# Evaluates GITLAB_OMNIBUS_CONFIG, then gitlab.rb, as Omnibus does (both are plain Ruby), and prints the
# settings as JSON. Every name Omnibus knows is a hash that grows by itself; any other name is an error.
#
#   ruby evaluate.rb FILE NAMES_FILE
require 'json'

# Keys may be written as strings or as symbols; reading a missing one makes it.
class Mash < Hash
  def [](key)
    name = key.to_s
    store(name, Mash.new) unless key?(name)
    fetch(name)
  end

  def []=(key, value)
    store(key.to_s, value)
  end

  def method_missing(name, *args)
    return self[name] if args.empty? && !name.to_s.end_with?('=', '?', '!')

    super
  end

  def respond_to_missing?(name, _all = false)
    !name.to_s.end_with?('=', '?', '!')
  end
end

class UnknownConfigOptionError < StandardError; end

# What a gitlab.rb sees as self.
class Settings
  def initialize(names)
    @values = Mash.new
    names.each do |name|
      define_singleton_method(name) do |*args|
        args.empty? ? @values[name] : (@values[name] = args.first)
      end
      define_singleton_method("#{name}=") { |value| @values[name] = value }
    end
  end

  def roles(list)
    @values['roles'] = Array(list)
  end

  def from_file(path)
    instance_eval(File.read(path), path)
  end

  def to_h
    @values
  end

  def method_missing(name, *args)
    verb = args.empty? ? 'Reading' : 'Cannot set'
    raise UnknownConfigOptionError, "#{verb} unsupported config value #{name.to_s.chomp('=')}."
  end

  def respond_to_missing?(_name, _all = false)
    false
  end
end

file, names_file = ARGV
settings = Settings.new(File.readlines(names_file, chomp: true).reject { |l| l.empty? || l.start_with?('#') })
output = $stdout.dup
$stdout.reopen($stderr) # what a gitlab.rb prints must not mix with the JSON
begin
  inline = ENV.fetch('GITLAB_OMNIBUS_CONFIG', '')
  settings.instance_eval(inline, 'GITLAB_OMNIBUS_CONFIG') unless inline.empty?
  settings.instance_eval(File.read(file), file)
rescue UnknownConfigOptionError => e
  warn "FATAL: Mixlib::Config::UnknownConfigOptionError: #{e.message}"
  exit 1
rescue SyntaxError, StandardError => e
  warn "FATAL: #{e.class}: #{e.message}"
  warn e.backtrace.grep(/#{Regexp.escape(file)}|GITLAB_OMNIBUS_CONFIG/).first.to_s if e.backtrace
  exit 1
end
output.puts JSON.generate(settings.to_h)
